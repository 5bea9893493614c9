#!/bin/sh
### BEGIN INIT INFO
# Provides:          docker
# Required-Start:    $remote_fs $syslog
# Required-Stop:     $remote_fs $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: Create lightweight, portable, self-sufficient containers.
### END INIT INFO
set -e
export PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin

DOCKERD=/usr/bin/dockerd
# The file of the engine itself, and that of start-stop-daemon.
DOCKER_PIDFILE=/var/run/docker.pid
DOCKER_SSD_PIDFILE=/var/run/docker-ssd.pid
DOCKER_LOGFILE=/var/log/docker.log
DOCKER_OPTS=

. /lib/lsb/init-functions
[ ! -f /etc/default/docker ] || . /etc/default/docker

if [ ! -x $DOCKERD ]; then
	log_failure_msg "$DOCKERD not present or not executable"
	exit 1
fi

fail_unless_root() {
	if [ "$(id -u)" != 0 ]; then
		log_failure_msg "Docker must be run as root"
		exit 1
	fi
}

case "$1" in
	start)
		fail_unless_root
		touch "$DOCKER_LOGFILE"
		chgrp docker "$DOCKER_LOGFILE"
		ulimit -n 1048576
		log_begin_msg "Starting Docker: docker"
		$0 status >/dev/null || start-stop-daemon --start --background --no-close --exec "$DOCKERD" \
			--pidfile "$DOCKER_SSD_PIDFILE" --make-pidfile -- -p "$DOCKER_PIDFILE" $DOCKER_OPTS \
			>> "$DOCKER_LOGFILE" 2>&1
		log_end_msg $?
		;;
	stop)
		fail_unless_root
		if [ -f "$DOCKER_SSD_PIDFILE" ]; then
			log_begin_msg "Stopping Docker: docker"
			start-stop-daemon --stop --pidfile "$DOCKER_SSD_PIDFILE" --remove-pidfile --retry 10
			log_end_msg $?
		else
			log_warning_msg "Docker already stopped - file $DOCKER_SSD_PIDFILE not found."
		fi
		;;
	restart)
		fail_unless_root
		pid=$(cat "$DOCKER_SSD_PIDFILE" 2>/dev/null) || :
		if [ -n "$pid" ] && ps -p "$pid" >/dev/null 2>&1; then $0 stop; fi
		$0 start
		;;
	force-reload)
		$0 restart
		;;
	status)
		status_of_proc -p "$DOCKER_SSD_PIDFILE" "$DOCKERD" Docker
		;;
	*)
		echo "Usage: service docker {start|stop|restart|status}"
		exit 1
		;;
esac
