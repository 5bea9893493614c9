# from: hook
# user: root
docker inspect ucp --format '{{json .Config.Labels}} {{json .Config.Cmd}} {{len .Config.Env}}'; docker ps -a --filter name=ucp --format '{{.Names}} {{.State}}' | sed 's/^\(ucp-agent\)[^ ]*/\1/' | sort; docker service ls --format '{{.Name}} {{.Mode}}'; docker volume ls -q; docker config ls --format '{{.Name}}'
