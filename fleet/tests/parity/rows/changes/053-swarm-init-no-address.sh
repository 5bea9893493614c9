# from: init-swarm: docker swarm init
# user: root
# args: 'nosuch0' ''

set -eu
advertise=$1
eval "set -- $2"
exec docker swarm init --advertise-addr "$advertise" "$@" >/dev/null
