# from: prepare-hosts: write the proxy drop-in
# user: root
# args: '/etc/systemd/system/docker.service.d/http-proxy.conf' '0600' 'root:root' 'd8c57af2ee96956089c89f20ad4f155ff945d78ea4923b5538a23bab4afe7612'
# stdin: [Service]\nEnvironment="HTTP_PROXY=http://proxy.example:3128"\n

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
