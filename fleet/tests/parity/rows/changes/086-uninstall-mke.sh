# from: uninstall-mke: start the bootstrapper
# user: root
# args: 'mirantis/ucp:3.8.8' 'uninstall-ucp' '--id $(docker info --format '\''{{.Swarm.Cluster.ID}}'\'') --purge-config' '' 'com.mirantis.launchpad.operation=uninstall-ucp' 'com.mirantis.launchpad.version=3.8.8' 'com.mirantis.launchpad.request=0123456789abcdef0123456789abcdef'
# stdin: 

set -eu
image=$1 operation=$2 flags=$3 selinux=$4
shift 4
labels=
for label in "$@"; do labels="$labels --label $label"; done
eval "set -- $flags"
if [ -n "${LAUNCHPAD_LICENSE:-}" ]; then set -- --license "$LAUNCHPAD_LICENSE" "$@"; fi
exec docker run -d --name ucp --env-file /dev/stdin $labels $selinux \
  -v /var/run/docker.sock:/var/run/docker.sock "$image" "$operation" "$@" >/dev/null
