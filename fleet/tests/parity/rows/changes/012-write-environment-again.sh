# from: prepare-hosts: write /etc/environment
# user: root
# args: '/etc/environment' '0644' 'root:root' '55449e853c1a7c84b97c1d337926617008d3c3d752435ea25169700b31556c40'
# stdin: HTTP_PROXY=http://proxy.example:3128\nNO_PROXY=localhost,10.77.0.0/16\n

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
