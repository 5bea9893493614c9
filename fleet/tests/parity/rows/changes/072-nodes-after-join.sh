# from: hook
# user: root
docker node ls --format '{{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}}' | sort; docker info --format '{{.Swarm.Nodes}} {{.Swarm.Managers}}'; docker node inspect w1 --format '{{json .Spec}}'
docker node promote w1; sleep 1; docker node ls --format '{{.Hostname}} {{.ManagerStatus}}' | sort; docker node demote w1; docker node demote w1; echo "status $?"; docker node update --role nosuch w1; echo "status $?"
docker swarm leave; echo "status $?"; docker swarm join-token worker | sed 's/SWMTKN-[^ ]*/TOKEN/'; docker swarm join-token --rotate -q worker | cut -c1-8; docker swarm update --task-history-limit 3; docker swarm ca | head -n 1
