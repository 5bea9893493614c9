# from: hook
# user: root
docker --version
docker version
docker version --format '{{.Server.Version}} {{.Client.APIVersion}}'
docker -v | cut -d' ' -f3
