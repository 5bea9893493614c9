# from: hook
# user: root
docker nosuch; echo "status $?"
docker start nosuch; echo "status $?"; docker stop nosuch; echo "status $?"; docker restart nosuch; echo "status $?"; docker kill nosuch; echo "status $?"; docker rm nosuch; echo "status $?"; docker rm -f nosuch; echo "status $?"; docker logs nosuch; echo "status $?"; docker exec nosuch id; echo "status $?"; docker wait nosuch; echo "status $?"; docker cp nosuch:/x /tmp; echo "status $?"
docker run --rm nosuch:1; echo "status $?"; docker pull nosuch:1; echo "status $?"; docker pull nosuch.invalid/x:1; echo "status $?"; docker pull private.lab/mirantis/busybox:1; echo "status $?"; docker pull 'A B'; echo "status $?"
docker swarm init; echo "status $?"; docker swarm join --token SWMTKN-1-x 10.77.1.2:2377; echo "status $?"; docker swarm leave; echo "status $?"; docker swarm join-token nosuch; echo "status $?"
docker rm ucp-proxy 2>&1 | sed 's/container [0-9a-f]*/container ID/'; docker load -i /nosuch; echo "status $?"; docker save nosuch >/dev/null; echo "status $?"; docker exec ucp-proxy nosuch; echo "status $?"
