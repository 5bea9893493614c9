# from: hook
# user: root
docker inspect ucp-proxy --format '{{.Name}} {{.State.Status}} {{.State.Running}} {{.State.ExitCode}} {{.RestartCount}}'
docker inspect ucp-controller --format '{{.Config.Image}} {{.HostConfig.NetworkMode}} {{.HostConfig.RestartPolicy.Name}} {{json .Config.Cmd}} {{json .Config.Entrypoint}}'
docker inspect ucp-controller --format '{{range .Mounts}}{{.Type}} {{.Destination}}{{"\n"}}{{end}}' | sort
docker inspect ucp-proxy --format '{{json .Config.Labels}}'
docker inspect ucp-proxy --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' | grep -cE '^172\.17\.'
docker inspect -f '{{index .Config.Labels "lab.reference"}}' ucp-proxy
docker inspect -f '{{.Nosuch}}' ucp-proxy; echo "status $?"
docker inspect --type image mirantis/ucp:3.8.8 --format '{{.RepoTags}} {{.Os}} {{.Architecture}} {{.Config.Entrypoint}}'
docker inspect nosuch; echo "status $?"
docker inspect nosuch --format '{{.Id}}'; echo "status $?"
docker inspect --type container nosuch 2>/dev/null; echo "status $?"
docker container inspect nosuch; echo "status $?"; docker image inspect nosuch:1; echo "status $?"; docker volume inspect nosuch; echo "status $?"; docker network inspect nosuch; echo "status $?"
docker inspect ucp-proxy nosuch --format '{{.Name}}'; echo "status $?"
docker inspect ucp-proxy | grep -E '"(Status|Running|Restarting)":'
