# from: label-nodes: docker node update
# user: root
# args: 'nosuch' 'a=b'

set -eu
node=$1
shift
for label in "$@"; do set -- "$@" --label-add "$label"; shift; done
docker node update "$@" "$node" >/dev/null
docker node inspect "$node" --format '{{json .Spec.Labels}}'
