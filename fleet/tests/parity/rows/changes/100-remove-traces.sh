# from: uninstall-mcr: remove the engine's networks
# user: root
# args: '/var/lib/docker'

for bridge in docker0 docker_gwbridge; do
  [ ! -e "/sys/class/net/$bridge" ] || ip link delete "$bridge" 2>/dev/null || true
done
for tool in iptables ip6tables; do
  command -v $tool-save >/dev/null && command -v $tool-restore >/dev/null || continue
  rules=$($tool-save 2>/dev/null) || continue
  case $rules in *DOCKER*|*docker0*|*docker_gwbridge*) ;; *) continue ;; esac
  # Not `DOCKER_OUTPUT` and its like: by them a host that is itself a container resolves names.
  printf '%s\n' "$rules" |
    grep -vE '(^|[ :])DOCKER(-[A-Z0-9-]+)?( |$)|docker0|docker_gwbridge' | $tool-restore || true
done
[ ! -d "$1/image" ] || rm -rf -- "$1/swarm"
rm -f /run/docker.pid /run/docker-ssd.pid /run/docker.sock
