# from: hook
# user: lab
PATH=$PATH:/usr/sbin:/sbin
rc-service own status; echo "status $?"
rc-service own restart; echo "status $?"
rc-service own stop; echo "status $?"
rc-update add own default; echo "status $?"
rc-status boot; echo "status $?"
