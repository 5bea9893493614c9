#!/bin/sh
### BEGIN INIT INFO
# Provides:          docker
# Required-Start:    $remote_fs $syslog
# Required-Stop:     $remote_fs $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: Container engine
### END INIT INFO
# The engine where no systemd runs it. What it says and which files it has are those of the script that the package
# for Debian brings.
set -e
. /lib/lsb/init-functions
if [ -f /etc/default/docker ]; then . /etc/default/docker; fi

engine=/usr/bin/dockerd
log=/var/log/docker.log
# Whom start-stop-daemon has started; the engine writes a file of its own.
started=/var/run/docker-ssd.pid

if [ ! -x "$engine" ]; then
	log_failure_msg "$engine not present or not executable"
	exit 1
fi

as_root() {
	[ "$(id -u)" = 0 ] && return
	log_failure_msg "Docker must be run as root"
	exit 1
}

begin() {
	[ -e "$log" ] || install -g docker -m 0644 /dev/null "$log"
	ulimit -n 1048576
	log_begin_msg "Starting Docker: docker"
	state=0
	if ! pidofproc -p "$started" "$engine" >/dev/null; then
		start-stop-daemon --start --background --no-close --make-pidfile --pidfile "$started" \
			--exec "$engine" -- -p /var/run/docker.pid ${DOCKER_OPTS:-} >>"$log" 2>&1 || state=$?
	fi
	log_end_msg $state
}

end() {
	if [ ! -f "$started" ]; then
		log_warning_msg "Docker already stopped - file $started not found."
		return
	fi
	log_begin_msg "Stopping Docker: docker"
	state=0
	start-stop-daemon --stop --retry 10 --remove-pidfile --pidfile "$started" || state=$?
	log_end_msg $state
}

case $1 in
start) as_root; begin ;;
stop) as_root; end ;;
restart | force-reload)
	as_root
	if pidofproc -p "$started" "$engine" >/dev/null; then end; fi
	begin
	;;
status) status_of_proc -p "$started" "$engine" Docker ;;
*)
	echo "Usage: service docker {start|stop|restart|status}"
	exit 1
	;;
esac
