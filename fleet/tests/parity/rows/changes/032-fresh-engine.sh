# from: hook
# user: root
docker info --format '{{.ServerVersion}} {{.Swarm.LocalNodeState}} {{json .Swarm.NodeID}} {{.Containers}} {{.Images}} {{.LiveRestoreEnabled}}'
docker ps -a; docker images; docker volume ls; docker network ls --format '{{.Name}} {{.Driver}} {{.Scope}}'
docker node ls; echo "status $?"; docker service ls; echo "status $?"; docker config ls; echo "status $?"; docker swarm leave; echo "status $?"; docker swarm join-token worker; echo "status $?"; docker info 2>&1 | grep -A1 ' Swarm:'
systemctl is-active docker docker.socket containerd; systemctl is-enabled docker docker.socket containerd; systemctl show docker -p DropInPaths -p FragmentPath -p Type -p Restart; systemctl status docker --no-pager -n 0 | sed -n '1,2p'
dpkg -L docker-ee docker-ee-cli containerd.io | grep -E '/s?bin/|systemd'; ls -A /etc/docker /etc/default | grep -i docker; getent group docker; ls /sys/class/net; ip -br -4 addr show docker0; ss -Hlxn | grep -c docker
iptables -S FORWARD; ip -4 route show dev docker0; cat /proc/sys/net/ipv4/ip_forward; journalctl -u docker --no-pager -o cat | grep -c 'API listen'
dpkg-query -W -f '${Package} ${Version} ${db:Status-Abbrev}\n' docker-ee docker-ee-cli containerd.io
