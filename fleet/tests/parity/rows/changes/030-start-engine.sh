# from: install-mcr: start the engine
# user: root

set -eu
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl unmask --quiet docker.service docker.socket containerd.service 2>/dev/null || true
  systemctl enable --quiet docker.service
  systemctl start docker.service || { journalctl -u docker.service -n 20 --no-pager >&2; exit 1; }
else
  rc-update add docker default
  rc-service docker start
fi
left=60
until timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; do
  left=$((left - 1))
  if [ $left -le 0 ]; then
    [ -d /run/systemd/system ] || tail -n 20 /var/log/docker.log >&2
    echo 'the engine was started and does not answer' >&2
    exit 1
  fi
  sleep 1
done
