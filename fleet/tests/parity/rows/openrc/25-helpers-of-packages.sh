# from: hook
# user: root
sleep 2
update-rc.d old defaults; echo "status $?"
rc-update show default | grep old; echo "status $?"
invoke-rc.d old start; echo "status $?"
invoke-rc.d old status; echo "status $?"
invoke-rc.d nosuch start; echo "status $?"
update-rc.d old remove; echo "status $?"
rc-update show default | grep old; echo "status $?"
invoke-rc.d old stop; echo "status $?"
sleep 2
rm /etc/init.d/old
update-rc.d old remove; echo "status $?"
service own status; echo "status $?"
service nosuch status; echo "status $?"
