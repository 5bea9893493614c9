# from: hook
# user: root
sleep 2
rc-service own start >/dev/null
rc-update add own default
rm /etc/init.d/own
rc-service own status; echo "status $?"
rc-status | grep own; echo "status $?"
rc-update show default | grep own; echo "status $?"
rc-update del own default; echo "status $?"
ls /etc/runlevels/default | grep own; echo "status $?"
rc-update add own default; echo "status $?"
