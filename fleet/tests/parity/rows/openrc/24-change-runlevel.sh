# from: hook
# user: root
rc-service own stop
rc-update add own default
openrc default; echo "status $?"
rc-service own status; echo "status $?"
rc-status; echo "status $?"
openrc; echo "status $?"
rc-update del own default
openrc; echo "status $?"
rc-service own status; echo "status $?"
