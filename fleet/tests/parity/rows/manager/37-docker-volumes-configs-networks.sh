# from: hook
# user: root
docker volume ls; docker volume ls -q --filter name=ucp-node
docker volume inspect ucp-node-certs --format '{{.Mountpoint}} {{.Driver}} {{.Scope}}'
docker volume create parity; docker volume create parity; docker volume ls -q --filter dangling=true; docker volume rm parity; docker volume rm parity; echo "status $?"; docker volume rm -f parity; echo "status $?"
docker volume rm ucp-node-certs 2>&1 | sed 's/\[.*\]/[ids]/'; docker volume create 'a b'; echo "status $?"
docker config ls --format '{{.Name}}'; printf 'x\n' | docker config create parity - | wc -c; docker config ls -q --filter name=parity | wc -l; docker config inspect parity --format '{{.Spec.Name}} {{printf "%s" .Spec.Data}}'; printf x | docker config create parity -; echo "status $?"; docker config rm parity; docker config rm parity; echo "status $?"; docker config inspect nosuch; echo "status $?"; docker config create parity /nosuch; echo "status $?"; printf '' | docker config create parity -; echo "status $?"
docker network ls --format '{{.Name}} {{.Driver}} {{.Scope}}' | sort; docker network ls -q | wc -l
docker network inspect bridge --format '{{(index .IPAM.Config 0).Subnet}} {{.Driver}}'; docker network inspect ingress --format '{{.Ingress}} {{(index .IPAM.Config 0).Subnet}}'; docker network inspect docker_gwbridge --format '{{(index .IPAM.Config 0).Subnet}}'
docker network create parity | wc -c; docker network rm parity; docker network rm parity; echo "status $?"; docker network rm bridge; echo "status $?"
