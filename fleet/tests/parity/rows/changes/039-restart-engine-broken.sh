# from: restart-mcr: restart the engine
# user: root

set -eu
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl reset-failed docker.service 2>/dev/null || true
  systemctl enable --quiet docker.service
  systemctl restart docker.service || {
    journalctl -u docker.service -n 20 --no-pager >&2
    [ "$(systemctl is-system-running)" != stopping ] || echo "the host is shutting down" >&2
    exit 1
  }
else
  rc-update add docker default >/dev/null
  rc-service docker restart
  # OpenRC has started it in the background, and does not look whether it stays.
  left=30
  until timeout 5 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; do
    left=$((left - 1))
    if [ $left -eq 0 ] || ! rc-service docker status >/dev/null 2>&1; then
      tail -n 20 /var/log/docker.log >&2
      exit 1
    fi
    sleep 1
  done
fi
