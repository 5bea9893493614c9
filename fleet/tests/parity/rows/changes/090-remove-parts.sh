# from: uninstall-mke: remove the containers and volumes
# user: root

left=30
while [ $left -gt 0 ]; do
  containers=$(timeout 30 docker ps -aq --filter name=^/ucp) || exit 0
  [ -n "$containers" ] || break
  docker rm -f $containers >/dev/null 2>&1
  left=$((left - 1))
  sleep 1
done
volumes=$(docker volume ls -q --filter name=ucp- | grep '^ucp-') || exit 0
docker volume rm --force $volumes >/dev/null
