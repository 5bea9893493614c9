#!/bin/sh
### BEGIN INIT INFO
# Provides:          cron
# Required-Start:    $remote_fs $syslog
# Required-Stop:     $remote_fs $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      
# Short-Description: Regular background program processing daemon
### END INIT INFO
. /lib/lsb/init-functions

case "$1" in
start)
	log_daemon_msg "Starting periodic command scheduler" cron
	start-stop-daemon --start --quiet --oknodo --pidfile /run/crond.pid --exec /usr/sbin/cron
	log_end_msg $?
	;;
stop)
	log_daemon_msg "Stopping periodic command scheduler" cron
	start-stop-daemon --stop --quiet --oknodo --retry 5 --pidfile /run/crond.pid --remove-pidfile
	log_end_msg $?
	;;
restart)
	$0 stop
	$0 start
	;;
status)
	status_of_proc -p /run/crond.pid /usr/sbin/cron cron
	;;
*)
	log_action_msg "Usage: /etc/init.d/cron {start|stop|status|restart|reload|force-reload}"
	exit 2
	;;
esac
