# from: rig: is a service active
# user: root
# args: 'docker'

if [ -d /run/systemd/system ]; then exec systemctl is-active --quiet "$1"; fi
rc-service "$1" status >/dev/null 2>&1
