# from: hook
# user: root
ss -Hltn | awk '{ print $4 }' | sort
ip -br link | awk '{ print $1, $2 }' | sed 's/veth[0-9a-f]*@if[0-9]*/veth/' | sort
ip -4 -o addr | awk '{ print $2, $4 }'; ip route
ls -A /var/lib/docker /etc/docker /run/docker /var/lib/launchpad
stat -c '%a %U:%G %n' /var/run/docker.sock /var/lib/docker /etc/docker /var/lib/launchpad/owned.json
cat /var/lib/launchpad/owned.json /run/launchpad/last-run
iptables -S DOCKER-USER; iptables -t nat -S | grep -c DOCKER
getent group docker; pgrep -x dockerd | wc -l; pgrep -xl containerd | cut -d' ' -f2
curl -sk -o /dev/null -w '%{http_code}\n' https://127.0.0.1/_ping; curl -sk https://127.0.0.1/_ping; echo; curl -s --unix-socket /var/run/docker.sock http://localhost/_ping; echo
cat /etc/docker/daemon.json; echo "status $?"
dpkg-query -W -f '${Package} ${Version}\n' 'docker-ee*' containerd.io; apt-cache policy docker-ee | head -n 3
