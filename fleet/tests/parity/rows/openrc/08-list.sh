# from: hook
# user: root
rc-service --list; echo "status $?"
