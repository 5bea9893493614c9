# from: gather-facts
# user: lab
# args: 'launchpad-0a1b2c3d' 'detect' '443'
# Prints every fact of a host as data; changes nothing on it.
#
# $1 mark of this run, first on every header line
# $2 `detect` or `override` (sudooverride: take sudo without trying it)
# $3 port of the MKE controller
#
# A header line is `<mark> <part> <exit status>`; the lines of its output follow. A part that does
# not end within its limit has status 124 or 137.
mark=$1
mode=$2
port=$3

try_root() {
  command -v "$1" >/dev/null 2>&1 || return 1
  said=$(LC_ALL=C "$@" id -u 2>&1 </dev/null)
  case "
$said
" in
    *"
0
"*) return 0 ;;
  esac
  refused="$refused$(printf '%s\n' "$said" | tail -n 3 | sed "s/^/$1> /")
"
  return 1
}
refused=
if [ "$(id -u)" = 0 ]; then as=root
elif [ "$mode" = override ]; then as=sudo
elif try_root sudo -n --; then as=sudo
elif try_root doas -n; then as=doas
else as=none
fi
printf '%s privilege 0\n%s\n%s' "$mark" "$as" "$refused"
printf '%s login 0\n%s\n' "$mark" "$(id -un)"

body=$(cat <<'BODY'
mark=$1
port=$2
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
export LC_ALL PATH
part() {
  text=$(timeout -k 2 "$2" sh -c "$3" part "$port" 2>&1 </dev/null)
  printf '%s %s %s\n' "$mark" "$1" "$?"
  if [ -n "$text" ]; then printf '%s\n' "$text"; fi
}
part clock 5 'date +%s.%N; cat /proc/uptime'
part boot-id 5 'cat /proc/sys/kernel/random/boot_id'
part hostname 5 'cat /proc/sys/kernel/hostname'
part fqdn 5 'hostname -f'
part kernel 5 'uname -srm'
part os-release 5 'cat /etc/os-release || cat /usr/lib/os-release'
part machine 5 'grep -c ^processor /proc/cpuinfo; grep MemTotal /proc/meminfo'
part disk 5 'd=/var/lib/docker; [ -d $d ] || d=/var/lib; df -Pk $d'
part container 5 'tr "\0" "\n" < /proc/1/environ | grep ^container='
part selinux 5 'command -v getenforce >/dev/null || { echo absent; exit 0; }; getenforce'
part init 5 'if [ -d /run/systemd/system ]; then echo systemd; elif command -v rc-service >/dev/null; then echo openrc; else echo unknown; fi'
part addresses 5 'ip -o addr show scope global'
part routes 5 'ip -o route list scope global; ip -o route list default'
part ports 5 'ss -Hltn'
part localhost 5 'getent hosts localhost'
part packages 10 'if command -v dpkg-query >/dev/null && [ -f /var/lib/dpkg/status ] && ! grep -qsE "^ID_LIKE=.*(rhel|fedora|suse)|^ID=.?(rhel|centos|rocky|ol|sles)" /etc/os-release; then dpkg-query -W -f "\${Package} \${Version} \${db:Status-Status}\n"; else rpm -qa --qf "%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE} installed\n"; fi | grep -E "^(docker|containerd|runc|podman|moby|curl|socat|iputils|apt-utils|iptables|gzip|openssh|gnupg|gpg|ca-certificates)[^ ]* "'
part daemon-json 5 'f=/etc/docker/daemon.json; [ -e $f ] || { echo absent; exit 3; }; stat -c %.9Y $f; cat $f'
part environment 5 'f=/etc/environment; [ -e $f ] || { echo absent; exit 3; }; cat $f'
part drop-ins 5 'stat -c %.9Y /etc/systemd/system/docker.service.d'
part engine-data 5 '[ -d /var/lib/docker ] || [ -d /var/lib/containerd ]'
part dockerd 5 'command -v dockerd'
part proxy-drop-in 5 'f=/etc/systemd/system/docker.service.d/http-proxy.conf; [ -e $f ] || { echo absent; exit 3; }; stat -c %.9Y $f; cat $f'
part repository 5 'for f in /etc/apt/sources.list.d/mirantis.sources /etc/yum.repos.d/docker-ee.repo /etc/zypp/repos.d/mirantis.repo; do if [ -e $f ]; then echo "$f"; cat $f; exit 0; fi; done; echo absent; exit 3'
part owned 5 'f=/var/lib/launchpad/owned.json; [ -e $f ] || { echo absent; exit 3; }; cat $f'
part lock 5 'd=/run/launchpad; [ -e $d/lock/record ] || { echo absent; exit 3; }; expr $(date +%s) - $(stat -c %Y $d/lock/record); cat $d/lock/record'
part last-run 5 'f=/run/launchpad/last-run; [ -e $f ] || { echo absent; exit 3; }; cat $f'
part leftovers 5 'for d in /run/launchpad/docker-config-*; do [ ! -e "$d" ] || echo "$d"; done'
part engine-unit 5 'if [ ! -d /run/systemd/system ]; then p=/run/docker.pid; [ -d /run/openrc ] && read -r n <$p && kill -0 "$n" && exec stat -c StartedAt=%.9Y $p; exit 3; fi 2>/dev/null; systemctl show docker.service -p LoadState -p ActiveState -p UnitFileState -p NeedDaemonReload -p ExecMainStartTimestampMonotonic'
if command -v docker >/dev/null; then
  part info 20 'docker info --format "{{json .}}"'
  info=$text
  case $info in *'"ServerVersion":"'[0-9]*) answers=yes ;; *) answers=no ;; esac
  if [ $answers = yes ]; then
    part containers 15 'docker ps -a --no-trunc --filter name=ucp --format "{\"id\":{{json .ID}},\"name\":{{json .Names}},\"image\":{{json .Image}},\"state\":{{json .State}},\"status\":{{json .Status}}}"'
    part bootstrap 10 'docker inspect --type container ucp --format "{\"id\":{{json .Id}},\"running\":{{json .State.Running}},\"exit_code\":{{json .State.ExitCode}},\"labels\":{{json .Config.Labels}}}" || exit 3'
    part certificates 10 'm=$(docker volume inspect ucp-controller-server-certs --format "{{.Mountpoint}}" 2>/dev/null) || exit 3; for f in ca.pem cert.pem key.pem; do [ ! -e "$m/$f" ] || sha256sum < "$m/$f" | sed "s/ .*/ $f/"; done'
    case $info in *'"ControlAvailable":true'*) manages=yes ;; *) manages=no ;; esac
    if [ $manages = yes ]; then
      part nodes 20 'ids=$(docker node ls -q) && docker node inspect $ids --format "{\"id\":{{json .ID}},\"hostname\":{{json .Description.Hostname}},\"state\":{{json .Status.State}},\"address\":{{json .Status.Addr}},\"role\":{{json .Spec.Role}},\"availability\":{{json .Spec.Availability}},\"labels\":{{json .Spec.Labels}},\"manager\":{{if .ManagerStatus}}{{json .ManagerStatus}}{{else}}null{{end}}}"'
      part services 15 'docker service ls --filter name=ucp --format "{\"name\":{{json .Name}},\"image\":{{json .Image}},\"replicas\":{{json .Replicas}}}"'
      part ping 8 'curl -ksS -m 5 -o /dev/null -w "%{http_code}\n" "https://127.0.0.1:$1/_ping"'
    fi
  fi
else
  printf '%s info 127\n' "$mark"
fi
printf '%s end 0\n' "$mark"
BODY
)
# On standard input: what sudo is given as an argument goes to the log of the host.
case $as in
  sudo) printf '%s' "$body" | sudo -n -- /bin/sh -s "$mark" "$port" ;;
  doas) printf '%s' "$body" | doas -n /bin/sh -s "$mark" "$port" ;;
  *) printf '%s' "$body" | /bin/sh -s "$mark" "$port" ;;
esac
