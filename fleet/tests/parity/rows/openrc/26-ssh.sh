# from: hook
# user: root
rc-service ssh status; echo "status $?"
ps -p "$(cat /run/sshd.pid)" -o comm=
rc-service ssh restart; echo "status $?"
rc-service ssh stop; echo "status $?"; sleep 1
rc-service ssh status; echo "status $?"
service ssh start; echo "status $?"
rc-service ssh status; echo "status $?"
rc-status | grep ssh
