# from: hook
# user: root
docker run --rm mirantis/busybox:1 echo hello
docker run --rm mirantis/busybox:1 sh -c 'echo out; echo err >&2; exit 3'; echo "status $?"
docker run --rm mirantis/busybox:1 nosuch; echo "status $?"
docker run -d --name parity --label a=b -e X=1 -v parity:/data mirantis/busybox:1 sh -c 'echo "$X"; trap exit TERM; while :; do sleep 0.1; done' | wc -c
docker exec parity sh -c 'echo "$X"; hostname | wc -c; id -u'
docker logs parity; docker inspect parity --format '{{.State.Status}} {{json .Config.Labels}} {{json .HostConfig.Binds}}'
docker run -d --name parity mirantis/busybox:1 true 2>&1 | sed 's/[0-9a-f]\{64\}/ID/'; docker rm parity 2>&1 | sed 's/[0-9a-f]\{64\}/ID/'
docker stop -t 2 parity; docker inspect parity --format '{{.State.Status}}'; docker start parity; docker kill parity; docker wait parity; docker ps -a --filter name=parity --format '{{.Names}} {{.State}} {{.Status}}' | cut -d' ' -f1-4; docker rm parity; docker rm parity; echo "status $?"; docker volume rm parity
echo data | docker run --rm -i mirantis/busybox:1 cat
