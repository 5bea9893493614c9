# from: hook
# user: root
systemctl is-active docker; systemctl is-enabled docker; echo "status $?"; ls -A /etc/docker /var/lib/docker /var/lib/containerd /run/docker /etc/systemd/system; getent group docker; dpkg-query -W docker-ee; ls /sys/class/net; iptables-save; command -v docker dockerd; echo "status $?"; systemctl list-units --failed --no-legend --plain --no-pager
