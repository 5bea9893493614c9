# from: init-swarm: docker swarm init
# user: root
# args: '10.77.1.1:2377' ''

set -eu
advertise=$1
eval "set -- $2"
exec docker swarm init --advertise-addr "$advertise" "$@" >/dev/null
