# from: lock: acquire
# user: root
# args: '{"run_id":"0a1b2c3d","owner":"somebody@somewhere","command":"apply","started_at":"2026-01-01T00:00:00Z"}' '' 'keep' '120'

set -eu
umask 077
dir=/run/launchpad
mkdir -p "$dir"
age() { expr "$(date +%s)" - "$(stat -c %Y "$dir/lock/record" 2>/dev/null || stat -c %Y "$dir/lock" 2>/dev/null || date +%s)" || true; }
take() {
  mkdir "$dir/lock" 2>/dev/null || return 1
  printf '%s\n' "$1" > "$dir/lock/record"
}
if ! take "$1"; then
  held=$(age)
  if [ "$3" = break ] || [ "$held" -gt "$4" ]; then
    # Only one of several takers gets the old directory out of the way.
    if mv "$dir/lock" "$dir/stale.$$" 2>/dev/null; then rm -rf "$dir/stale.$$"; fi
    take "$1" || { printf 'held %s %s\n' "$(age)" "$(cat "$dir/lock/record" 2>/dev/null)"; exit 0; }
    printf 'ours taken-over\n'
    exit 0
  fi
  printf 'held %s %s\n' "$held" "$(cat "$dir/lock/record" 2>/dev/null)"
  exit 0
fi
printf 'ours %s\n' "$(cat "$dir/last-run" 2>/dev/null || echo none)"
