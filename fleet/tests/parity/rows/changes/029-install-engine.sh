# from: install-mcr: install packages
# user: root
# args: 'containerd.io' 'docker-ee-cli' 'docker-ee'

export DEBIAN_FRONTEND=noninteractive LC_ALL=C
if [ -n "$(dpkg --audit 2>/dev/null)" ]; then dpkg --configure -a >&2 || exit 1; fi
exec apt-get install -y -q -o DPkg::Lock::Timeout=300 \
  -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
