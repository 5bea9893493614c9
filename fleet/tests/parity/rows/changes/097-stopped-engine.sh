# from: hook
# user: root
systemctl is-active docker docker.socket containerd; docker ps; echo "status $?"; ls -l /run/docker.sock 2>&1; ls /sys/class/net; pgrep -c containerd
