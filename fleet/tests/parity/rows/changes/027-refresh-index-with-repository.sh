# from: install-mcr: refresh the package index
# user: root

export DEBIAN_FRONTEND=noninteractive LC_ALL=C
left=300
while :; do
  said=$(apt-get update -q 2>&1) && exit 0
  status=$?
  case $said in
    *'Could not get lock'*|*'is held by process'*|*'Unable to lock'*) ;;
    *) printf '%s\n' "$said" >&2; exit $status ;;
  esac
  if [ $left -le 0 ]; then printf '%s\n' "$said" >&2; exit $status; fi
  left=$((left - 2))
  sleep 2
done
