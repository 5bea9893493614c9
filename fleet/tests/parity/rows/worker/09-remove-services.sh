# from: uninstall-mke: remove the services
# user: root

services=$(timeout 30 docker service ls -q --filter name=ucp-) || exit 0
[ -z "$services" ] || docker service rm $services >/dev/null
for kind in config secret; do
  names=$(docker $kind ls --format '{{.Name}}' 2>/dev/null | grep -E '^(com\.docker\.ucp|ucp-)') || continue
  docker $kind rm $names >/dev/null 2>&1 || true
done
