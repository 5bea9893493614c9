# from: label-nodes: docker node update
# user: root
# args: '{{node-id}}' 'com.mirantis.launchpad.managed=true' 'com.docker.ucp.SANs=10.77.1.1'

set -eu
node=$1
shift
for label in "$@"; do set -- "$@" --label-add "$label"; shift; done
docker node update "$@" "$node" >/dev/null
docker node inspect "$node" --format '{{json .Spec.Labels}}'
