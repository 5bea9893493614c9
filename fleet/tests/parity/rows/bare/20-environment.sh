# from: hook
# user: lab
echo "$PATH"
env | grep -vE '^SSH_' | sort
command -v curl iptables ip ss docker
echo "status $?"
which sudo nosuch
echo "status $?"
type ls cd nosuch
