# from: init-swarm: docker swarm init
# user: root
# args: '10.77.1.1:2377' '--default-addr-pool 10.20.0.0/16 --default-addr-pool-mask-length 24'

set -eu
advertise=$1
eval "set -- $2"
exec docker swarm init --advertise-addr "$advertise" "$@" >/dev/null
