# Prints what the login user finds on a host, as data; changes nothing.
#
# $@ further places that have to be written to, as root
#
# Each line is a key and a value. The lines behind `place` are of that place.
printf 'user %s\nuid %s\nhome %s\n' "$(id -un)" "$(id -u)" "$HOME"
printf 'shell %s\n' "$(getent passwd "$(id -un)" 2>/dev/null | cut -d: -f7)"
printf 'privilege %s\n%s' "$as" "$refused"
look() {
  printf 'place %s\n' "$1"
  near=$1
  if [ -e "$near" ]; then echo 'exists yes'; fi
  while [ ! -e "$near" ]; do
    near=${near%/*}
    [ -n "$near" ] || near=/
  done
  if [ -w "$near" ]; then echo 'writable yes'; fi
  if line=$(timeout 5 df -Pk "$near" 2>/dev/null | tail -n 1); then
    set -- $line
    [ $# -lt 6 ] || printf 'free_kib %s\n' "$4"
    mount=$6
    options=
    while read -r _ point _ found _; do
      if [ "$point" = "$mount" ]; then options=$found; fi
    done </proc/mounts
    printf 'options %s\n' "$options"
  fi
  if line=$(timeout 5 df -Pi "$near" 2>/dev/null | tail -n 1); then
    set -- $line
    [ $# -lt 6 ] || printf 'inodes %s %s\n' "$2" "$4"
  fi
}
[ -z "$HOME" ] || look "$HOME"
for place in "$@"; do look "$place"; done
echo 'end yes'
