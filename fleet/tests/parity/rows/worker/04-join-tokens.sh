# from: join-managers: read the join tokens
# user: root

set -e
docker swarm join-token -q manager
docker swarm join-token -q worker
