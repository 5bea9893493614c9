# from: join-managers: read the swarm membership
# user: root

docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.NodeID}} {{if .Swarm.Cluster}}{{.Swarm.Cluster.ID}}{{end}} {{.Swarm.ControlAvailable}}'
