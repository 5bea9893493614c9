# from: configure-mcr: write /etc/docker/daemon.json
# user: root
# args: '/etc/docker/daemon.json' '0600' 'root:root' '7b2551266d0b3de93bad90e7a5e1c6fa46e650bb1d30ff2e3835b6c66a9f6d64'
# stdin: {\n  "nosuch": true\n}\n

set -eu
path=$1 mode=$2 owner=$3 sum=$4
if [ -L "$path" ]; then path=$(readlink -f -- "$path"); fi
dir=$(dirname -- "$path")
if [ -f "$path" ] && [ "$(stat -c '%a %U:%G' -- "$path")" = "${mode#0} $owner" ] &&
   [ "$(sha256sum < "$path" | cut -d' ' -f1)" = "$sum" ]; then
  cat > /dev/null
  echo same
  exit 0
fi
mkdir -p -- "$dir"
umask 077
temp=$dir/.$(basename -- "$path").launchpad-$$
trap 'rm -f -- "$temp"' EXIT
trap 'exit 1' HUP INT TERM
cat > "$temp"
[ "$(sha256sum < "$temp" | cut -d' ' -f1)" = "$sum" ] || { echo 'the content did not arrive whole' >&2; exit 1; }
chmod "$mode" "$temp"
chown "$owner" "$temp"
mv -f -- "$temp" "$path" 2>/dev/null || { cat "$temp" > "$path"; chmod "$mode" "$path"; chown "$owner" "$path"; }
echo written
