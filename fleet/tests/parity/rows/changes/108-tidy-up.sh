# from: clean-up: tidy up
# user: root

rmdir /etc/systemd/system/docker.service.d /var/lib/launchpad 2>/dev/null || true
[ ! -d /run/systemd/system ] || systemctl daemon-reload
