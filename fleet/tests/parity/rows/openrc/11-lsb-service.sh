# from: hook
# user: root
sleep 2
cat > /etc/init.d/old <<'X'
#!/bin/sh
### BEGIN INIT INFO
# Provides:          old
# Required-Start:    $remote_fs
# Required-Stop:     $remote_fs
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: A service of the old kind
### END INIT INFO
. /lib/lsb/init-functions
[ -r /etc/default/old ] && . /etc/default/old
pidfile=/run/old.pid
case $1 in
start)
  log_daemon_msg "Starting the old one" old
  start-stop-daemon --start --quiet --oknodo --background --make-pidfile --pidfile $pidfile --exec /usr/bin/sleep -- ${SECONDS_OF_OLD:-50000}
  log_end_msg $?
  ;;
stop)
  log_daemon_msg "Stopping the old one" old
  start-stop-daemon --stop --quiet --oknodo --retry 5 --pidfile $pidfile --remove-pidfile
  log_end_msg $?
  ;;
restart) $0 stop; $0 start ;;
status) status_of_proc -p $pidfile /usr/bin/sleep old ;;
*) echo "Usage: old {start|stop|restart|status}" >&2; exit 1 ;;
esac
X
chmod 755 /etc/init.d/old
rc-service old status; echo "status $?"
rc-service old start; echo "status $?"
rc-service old status; echo "status $?"
rc-service old start; echo "status $?"
rc-status --manual; echo "status $?"
rc-service old restart; echo "status $?"
rc-service old nonsense; echo "status $?"
/etc/init.d/old status; echo "status $?"
rc-service old stop; echo "status $?"
rc-service old stop; echo "status $?"
/etc/init.d/old start; echo "status $?"
rc-service old status; echo "status $?"
rc-service old stop; echo "status $?"
/etc/init.d/old stop; echo "status $?"
