# from: hook
# user: root
docker info --format '{{.ServerVersion}} {{.Driver}} {{.CgroupDriver}} {{.OperatingSystem}} {{.Name}} {{.NCPU}}'
docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}} {{.Swarm.Managers}} {{.Swarm.Nodes}} {{.Swarm.NodeAddr}}'
docker info --format '{{range .Swarm.RemoteManagers}}{{.Addr}} {{end}}' | tr ' ' '\n' | sort | tr '\n' ' '; echo
docker info --format '{{json .Plugins.Network}}'
docker info --format '{{.Nosuch}}'; echo "status $?"
docker info --format '{{.Name'; echo "status $?"
docker info 2>/dev/null | grep -E '^ *(Server Version|Storage Driver|Swarm|Is Manager|Docker Root Dir):'
docker info -f '{{if .Swarm.ControlAvailable}}manager{{else}}worker{{end}} {{len .Swarm.RemoteManagers}} {{.DockerRootDir}} {{index .RegistryConfig.InsecureRegistryCIDRs 0}}'
