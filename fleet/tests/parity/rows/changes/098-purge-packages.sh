# from: uninstall-mcr: remove the packages of the engine
# user: root
# args: 'purge' 'containerd.io' 'docker-ee' 'docker-ee-cli'

export DEBIAN_FRONTEND=noninteractive LC_ALL=C
command=$1
shift
if [ -n "$(dpkg --audit 2>/dev/null)" ]; then dpkg --configure -a >&2 || exit 1; fi
for name in "$@"; do
  shift
  status=$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)
  case $command/$status in
    */|*/not-installed|remove/config-files) ;;
    *) set -- "$@" "$name" ;;
  esac
done
[ $# -gt 0 ] || exit 0
exec apt-get "$command" -y -q -o DPkg::Lock::Timeout=300 "$@"
