# from: hook
# user: root
rc-service cron status; echo "status $?"
/etc/init.d/cron status; echo "status $?"
rc-service ssh status >/dev/null; echo "status $?"
rc-service docker status; echo "status $?"
rc-service docker start; echo "status $?"
rc-service docker stop; echo "status $?"
rc-service docker restart; echo "status $?"
