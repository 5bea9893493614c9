# from: uninstall-mcr: remove the engine's data
# user: root
# args: '/var/lib/docker' 'containerd'

set -u
refuse() { echo "refusing to remove the data directory '$1': $2" >&2; exit 1; }
data=$(readlink -m -- "$1") || refuse "$1" 'its path cannot be resolved'
case $data in
  /|/bin|/bin/*|/boot|/boot/*|/dev|/dev/*|/etc|/etc/*|/home|/lib|/lib/*|/lib32|/lib64|/media|/mnt|/opt|\
  /proc|/proc/*|/root|/run|/sbin|/sbin/*|/srv|/sys|/sys/*|/tmp|/usr|/usr/*|/var|/var/cache|/var/lib|\
  /var/log|/var/log/*|/var/run|/var/spool|/var/tmp) refuse "$data" 'it is a directory of the system' ;;
esac
is_engine_data() {
  for name in containers image volumes network swarm buildkit overlay2; do
    [ ! -d "$data/$name" ] || return 0
  done
  [ -z "$(ls -A -- "$data" 2>/dev/null)" ]
}
is_engine_data || refuse "$data" 'it holds no data of an engine'
containerd=$2
set -- "$data"
umount /run/docker/netns/* 2>/dev/null
grep -F " $1/" /proc/mounts | cut -d' ' -f2 | sort -r | while read -r mount; do umount -l "$mount"; done
remove() {
  [ -e "$1" ] || return 0
  if mountpoint -q "$1" 2>/dev/null; then
    find "$1" -xdev -mindepth 1 -delete
  else
    rm -rf -- "$1"
  fi
}
remove "$1"
for name in $containerd cri-dockerd kubelet; do remove "/var/lib/$name"; done
remove /run/docker
[ -z "$containerd" ] || remove /run/containerd
rm -f /run/cri-dockerd-mke.sock /run/docker.sock
if [ -e /lib/systemd/system/cri-dockerd-mke.service ]; then
  systemctl disable --quiet --now cri-dockerd-mke.service cri-dockerd-mke.socket 2>/dev/null || true
  rm -f /lib/systemd/system/cri-dockerd-mke.service /lib/systemd/system/cri-dockerd-mke.socket
fi
[ -d /run/systemd/system ] || rm -f /var/log/docker.log
rm -f /etc/docker/daemon.json /etc/docker/key.json
rmdir /etc/docker 2>/dev/null || true
