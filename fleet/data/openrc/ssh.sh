#!/bin/sh
### BEGIN INIT INFO
# Provides:          ssh sshd
# Required-Start:    $remote_fs $syslog
# Required-Stop:     $remote_fs $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      
# Short-Description: OpenBSD Secure Shell server
### END INIT INFO
set -e
umask 022
[ ! -f /etc/default/ssh ] || . /etc/default/ssh
. /lib/lsb/init-functions

ssh_start() {
	[ -d /run/sshd ] || mkdir /run/sshd
	start-stop-daemon --start --quiet --oknodo --chuid 0:0 --pidfile /run/sshd.pid --exec /usr/sbin/sshd -- $SSHD_OPTS
}

case "$1" in
  start)
	log_daemon_msg "Starting OpenBSD Secure Shell server" sshd
	ssh_start
	log_end_msg $?
	;;
  stop)
	log_daemon_msg "Stopping OpenBSD Secure Shell server" sshd
	start-stop-daemon --stop --quiet --oknodo --pidfile /run/sshd.pid --exec /usr/sbin/sshd
	log_end_msg $?
	;;
  reload|force-reload)
	log_daemon_msg "Reloading OpenBSD Secure Shell server's configuration" sshd
	start-stop-daemon --stop --signal 1 --quiet --oknodo --pidfile /run/sshd.pid --exec /usr/sbin/sshd
	log_end_msg $?
	;;
  restart|try-restart)
	log_daemon_msg "Restarting OpenBSD Secure Shell server" sshd
	start-stop-daemon --stop --quiet --oknodo --retry 30 --pidfile /run/sshd.pid --exec /usr/sbin/sshd
	ssh_start
	log_end_msg $?
	;;
  status)
	status_of_proc -p /run/sshd.pid /usr/sbin/sshd sshd && exit 0 || exit $?
	;;
  *)
	log_action_msg "Usage: /etc/init.d/ssh {start|stop|reload|force-reload|restart|try-restart|status}"
	exit 1
	;;
esac
