# from: hook
# user: root
docker ps --format '{{.Image}} {{.State}}'; docker images --format '{{.Repository}}:{{.Tag}}' | sort; docker volume ls -q; docker network ls --format '{{.Name}} {{.Driver}} {{.Scope}}'
docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}} {{.Swarm.NodeAddr}} {{len .Swarm.RemoteManagers}} {{.Swarm.Managers}} {{.Swarm.Nodes}} {{json .Swarm.Cluster}}'
docker inspect $(docker ps -q) --format '{{.Config.Image}} {{index .Config.Labels "com.docker.swarm.service.name"}}'
docker run --rm mirantis/busybox:1 echo pulled
