# from: hook
# user: root
ss -Hltn | awk '{ print $4 }' | sort; systemctl is-active docker containerd; systemctl is-enabled docker; getent group docker
ls -A /var/lib/docker /var/lib/launchpad /run/launchpad; cat /run/launchpad/last-run; echo "status $?"
curl -sk -m 5 https://127.0.0.1/_ping; echo "status $?"
stat -c '%a %U:%G %n' /var/lib/docker /var/run/docker.sock; ls /var/lib/docker/swarm
