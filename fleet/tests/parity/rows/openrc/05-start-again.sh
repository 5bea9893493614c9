# from: hook
# user: root
rc-service own start; echo "status $?"
rc-service own describe; echo "status $?"
rc-service own restart; echo "status $?"
rc-service own stop; echo "status $?"
rc-service own stop; echo "status $?"
ls /run/own.pid; echo "status $?"
rc-service own status; echo "status $?"
rc-service own restart; echo "status $?"
rc-service own status; echo "status $?"
