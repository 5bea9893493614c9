#!/bin/sh
### BEGIN INIT INFO
# Provides:          ssh sshd
# Required-Start:    $remote_fs $syslog
# Required-Stop:     $remote_fs $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      
# Short-Description: SSH server
### END INIT INFO
# What it says is what the script of Debian's openssh-server says.
set -e
. /lib/lsb/init-functions
if [ -f /etc/default/ssh ]; then . /etc/default/ssh; fi

# What is done with the server, and how.
server() {
	start-stop-daemon --quiet --oknodo --pidfile /run/sshd.pid --exec /usr/sbin/sshd "$@"
}

begin() {
	mkdir -p /run/sshd
	server --start --chuid 0:0 -- $SSHD_OPTS
}

# The words, and what is done.
tell() {
	log_daemon_msg "$1" sshd
	shift
	state=0
	"$@" || state=$?
	log_end_msg $state
}

name="OpenBSD Secure Shell server"
case $1 in
start) tell "Starting $name" begin ;;
stop) tell "Stopping $name" server --stop ;;
reload | force-reload) tell "Reloading $name's configuration" server --stop --signal 1 ;;
restart | try-restart)
	again() { server --stop --retry 30; begin; }
	tell "Restarting $name" again
	;;
status) status_of_proc -p /run/sshd.pid /usr/sbin/sshd sshd ;;
*)
	log_action_msg "Usage: /etc/init.d/ssh {start|stop|reload|force-reload|restart|try-restart|status}"
	exit 1
	;;
esac
