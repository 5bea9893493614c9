# from: hook
# user: root
rc-service; echo "status $?"
rc-service --nonsense 2>&1 | head -n 2
rc-service own; echo "status $?"
rc-update nonsense; echo "status $?"
rc-update add 2>&1 | head -n 3; echo "status $?"
