# from: hook
# user: root
docker service ls
docker service ls --format '{{.Name}} {{.Mode}} {{.Replicas}} {{.Image}}'
docker service ls -q | wc -l; docker service ls --filter name=nosuch
docker service ps ucp-agent --format '{{.Node}} {{.DesiredState}} {{.Image}}' | sort
docker service ps ucp-agent --filter desired-state=running -q | wc -l
docker service inspect ucp-agent --format '{{.Spec.Name}} {{json .Spec.Mode}} {{.Spec.TaskTemplate.ContainerSpec.Image}}'
docker service inspect nosuch; echo "status $?"; docker service ps nosuch; echo "status $?"; docker service rm nosuch; echo "status $?"
docker stack ls; docker secret ls; docker plugin ls
