# from: authenticate-docker: docker login
# user: root
# args: '/run/launchpad/docker-config-0a1b2c3d' 'puller' 'private.lab'
# stdin: {{private-password}}

set -eu
umask 077
mkdir -p "$1"
DOCKER_CONFIG=$1
export DOCKER_CONFIG
if [ -n "$3" ]; then set -- "$2" "$3"; else set -- "$2"; fi
user=$1
shift
docker login --username "$user" --password-stdin "$@" >/dev/null
