# from: init-swarm: take the swarm back
# user: root
docker swarm leave --force
