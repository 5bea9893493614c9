# from: hook
# user: lab
docker ps; echo "status $?"
docker info --format "{{.Name}}"; echo "status $?"
docker version --format "{{.Client.Version}}"; echo "status $?"
ls -l /var/run/docker.sock | awk "{ print \$1, \$3, \$4 }"
sudo -n docker ps -q | wc -l
