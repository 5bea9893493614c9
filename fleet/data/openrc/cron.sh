#!/bin/sh
### BEGIN INIT INFO
# Provides:          cron
# Required-Start:    $remote_fs $syslog
# Required-Stop:     $remote_fs $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      
# Short-Description: Commands at their times
### END INIT INFO
# What it says is what the script of Debian's cron says.
. /lib/lsb/init-functions

tell() {
	log_daemon_msg "$1 periodic command scheduler" cron
	shift
	start-stop-daemon --quiet --oknodo --pidfile /run/crond.pid "$@"
	log_end_msg $?
}

case $1 in
start) tell Starting --start --exec /usr/sbin/cron ;;
stop) tell Stopping --stop --retry 5 --remove-pidfile ;;
restart) "$0" stop && "$0" start ;;
status) status_of_proc -p /run/crond.pid /usr/sbin/cron cron ;;
*)
	log_action_msg "Usage: /etc/init.d/cron {start|stop|status|restart|reload|force-reload}"
	exit 2
	;;
esac
