# from: hook
# user: root
docker images | awk '{ print $1, $2, $3 }' | sort
docker images --format '{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}}' | sort
docker images -q mirantis/ucp; docker images mirantis/ucp-agent --format '{{.Tag}}'; docker images nosuch
docker images --digests --format '{{.Digest}}' | sort
docker image ls --filter reference='mirantis/ucp-*' --format '{{.Repository}}' | sort
docker images --no-trunc -q | sort -u | wc -l; docker images -f dangling=true -q
docker image inspect mirantis/ucp:3.8.8 --format '{{.Id}} {{json .RepoDigests}} {{json .Config.Labels}} {{.Size}}'
docker rmi nosuch; echo "status $?"; docker tag nosuch x; echo "status $?"
docker rmi mirantis/ucp-agent:3.8.8; echo "status $?"
docker history mirantis/ucp:3.8.8 | head -n 1
