# from: pull-mke-images: pull
# user: root
# args: '' 'private.lab/mirantis/busybox:1'

set -eu
if [ -n "$1" ]; then DOCKER_CONFIG=$1; export DOCKER_CONFIG; fi
shift
printf '%s\n' "$@" | xargs -P 5 -n 1 sh -c '
  docker image inspect "$0" >/dev/null 2>&1 && exit 0
  tries=0
  while :; do
    error=$(docker pull "$0" 2>&1 >/dev/null) && exit 0
    tries=$((tries + 1))
    case $error in
      *"pull access"*|*"manifest unknown"*|*unauthorized*|*"no basic auth"*) tries=9 ;;
      *"no space left"*|*"docker: not found"*) tries=9 ;;
    esac
    if [ $tries -ge 5 ]; then printf "%s: %s\n" "$0" "$error" >&2; exit 1; fi
    sleep $((tries * tries))
  done
'
