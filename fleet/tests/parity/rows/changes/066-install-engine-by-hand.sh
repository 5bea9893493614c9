# from: hook
# user: root
# host: w1
set -e
curl -fsSL https://repos.mirantis.com/ubuntu/gpg | gpg --batch --dearmor -o /usr/share/keyrings/mirantis.gpg
. /etc/os-release
echo "deb [arch=$(dpkg --print-architecture) signed-by=/usr/share/keyrings/mirantis.gpg] https://repos.mirantis.com/ubuntu $VERSION_CODENAME stable-20.10" > /etc/apt/sources.list.d/mirantis.list
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq docker-ee docker-ee-cli containerd.io >/dev/null 2>&1
docker version --format '{{.Server.Version}}'
systemctl is-active docker
