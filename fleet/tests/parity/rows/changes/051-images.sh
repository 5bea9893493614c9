# from: hook
# user: root
docker images --format '{{.Repository}}:{{.Tag}} {{.ID}}' | sort; docker images -q | wc -l; docker images -q | sort -u | wc -l
docker pull mirantis/busybox:1; docker pull -q mirantis/busybox:1; docker pull mirantis/busybox; echo "status $?"; docker pull mirantis/ucp-agent:3.8.8 | tail -n 3
docker rmi mirantis/busybox:2 mirantis/busybox:3 mirantis/busybox:4; docker save mirantis/busybox:1 -o /tmp/i.tar; tar tf /tmp/i.tar | grep -c json; docker rmi mirantis/ucp-agent:3.8.8 | wc -l; docker rmi private.lab/mirantis/busybox:1 mirantis/busybox:1 | grep -c Untagged; docker images -q mirantis/busybox; docker load -i /tmp/i.tar; docker load -q < /tmp/i.tar; rm /tmp/i.tar; docker inspect mirantis/busybox:1 --format '{{json .RepoTags}} {{json .RepoDigests}}'; docker image prune -f; docker system prune -f | tail -n 1
