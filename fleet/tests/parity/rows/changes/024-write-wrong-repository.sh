# from: install-mcr: write the repository
# user: root
# args: '/etc/apt/sources.list.d/mirantis.sources' '0644' 'root:root' '7d726a365edc55a0613f35513d19f0d6fe5700a9fe34f9722fbd87d4ba6fc964'
# stdin: Types: deb\nURIs: https://repos.mirantis.com/ubuntu\nSuites: nosuch\nArchitectures: amd64\nComponents: stable-20.10\nSigned-by: /usr/share/keyrings/mirantis-archive-keyring.gpg\n

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
