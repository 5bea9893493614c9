# from: uninstall-mcr: stop the engine
# user: root
# args: 'prune'

if [ "$1" = prune ]; then
  containers=$(timeout 60 docker ps -aq 2>/dev/null)
  [ -z "$containers" ] || timeout 200 docker rm -f $containers >/dev/null 2>&1
fi
if [ -d /run/systemd/system ]; then
  for unit in docker.socket docker.service containerd.service; do
    systemctl cat "$unit" >/dev/null 2>&1 || continue
    systemctl stop "$unit" || exit 1
  done
  systemctl reset-failed docker.service 2>/dev/null || true
elif command -v rc-service >/dev/null; then
  rc-update del docker default >/dev/null 2>&1 || true
  ! rc-service --exists docker || rc-service docker stop || exit 1
fi
