# from: hook
# user: root
docker ps
docker ps --format '{{.Names}} {{.Image}} {{.State}}' | sort
docker ps --format 'table {{.Names}}\t{{.Image}}'
docker ps --filter name=ucp-proxy --format '{{.Names}}: {{.Status}}' | cut -d' ' -f1-2
docker ps -q | wc -l; docker ps -aq --filter status=exited; docker ps -q --filter name=nosuch
docker ps --filter label=lab.reference=mirantis/ucp-proxy:3.8.8 --format '{{.Names}} {{.Label "lab.reference"}}'
docker ps -a --filter name=^/ucp- --format '{{.Names}}' | sort
docker ps --filter nosuch=1; echo "status $?"
docker ps --nosuch; echo "status $?"
docker ps -n 1 --format '{{.Command}} {{.Ports}} {{.Networks}} {{.Mounts}}'
docker container ls --format '{{json .Names}}'
docker top ucp-proxy -o comm; docker port ucp-proxy; docker stats --no-stream --format '{{.Name}}' | sort
