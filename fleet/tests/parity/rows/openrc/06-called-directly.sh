# from: hook
# user: root
/etc/init.d/own stop; echo "status $?"
/etc/init.d/own start; echo "status $?"
/etc/init.d/own status; echo "status $?"
/etc/init.d/own nonsense; echo "status $?"
/etc/init.d/own stop; echo "status $?"
/etc/init.d/own status; echo "status $?"
openrc-run /etc/init.d/own start; echo "status $?"
