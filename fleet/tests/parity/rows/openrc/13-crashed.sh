# from: hook
# user: root
kill -9 $(cat /run/own.pid)
sleep 1
rc-service own status; echo "status $?"
rc-status --crashed; echo "status $?"
rc-service own start; echo "status $?"
rc-service own zap; echo "status $?"
rc-service own status; echo "status $?"
rc-service own start; echo "status $?"
rc-service own status; echo "status $?"
