# from: hook
# user: root
docker service create --name sv --replicas 2 --env A=b -d mirantis/busybox:1 sleep 1000 | wc -c; i=0; while [ $i -lt 40 ] && [ "$(docker service ls --format '{{.Replicas}}')" != 2/2 ]; do sleep 0.5; i=$((i + 1)); done
docker service ls --format '{{.Name}} {{.Mode}} {{.Replicas}} {{.Image}}'; docker service ps sv --format '{{.Name}} {{.DesiredState}}' | sort; docker service ps sv --format '{{.Node}}' | sort; docker ps --format '{{.Image}}' ; docker service inspect sv --format '{{json .Spec.Mode}} {{json .Spec.TaskTemplate.ContainerSpec.Env}} {{.Spec.TaskTemplate.ContainerSpec.Image}}'
docker service scale -d sv=1; docker service update -d --label-add x=y sv; docker service create --name sv -d mirantis/busybox:1; echo "status $?"; docker service rm sv; docker service rm sv; echo "status $?"; docker service ls -q
printf v | docker secret create sec - | wc -c; docker secret ls --format '{{.Name}}'; docker secret inspect sec --format '{{.Spec.Name}}'; docker secret rm sec; docker network create -d overlay --attachable ov | wc -c; docker network ls --filter driver=overlay --format '{{.Name}} {{.Scope}}'; docker network rm ov
