# from: install-mcr: write the record
# user: root
# args: '/var/lib/launchpad/owned.json' '0600' 'root:root' 'c28c61dc1f181193df9daf794800003c1c58aef105953033532e03bfacd1259b'
# stdin: {\n  "files": {\n    "/etc/apt/sources.list.d/mirantis.sources": "67f1d76ec204ff29010b201df4b716f4b9cadbca87624f9cf761d910608088a6"\n  },\n  "packages": [\n    "containerd.io",\n    "docker-ee",\n    "docker-ee-cli"\n  ]\n}\n

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
