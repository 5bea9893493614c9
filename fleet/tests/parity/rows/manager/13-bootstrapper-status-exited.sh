# from: install-mke: status of the bootstrapper
# user: root

docker inspect --type container ucp --format '{{if .State.Running}}running{{else}}exited {{.State.ExitCode}}{{end}}' 2>/dev/null || {
  docker version --format '{{.Server.Version}}' >/dev/null && echo absent
}
