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
  rc-service docker restart
fi
