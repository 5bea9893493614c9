# from: rig: read a file
# user: root
# args: '/etc/docker/daemon.json'
[ -e "$1" ] || exit 44
exec cat -- "$1"
