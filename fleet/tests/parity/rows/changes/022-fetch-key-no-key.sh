# from: install-mcr: fetch the key of the package repository
# user: root
# args: 'https://repos.mirantis.com/ubuntu/dists/jammy/Release' '/usr/share/keyrings/mirantis-archive-keyring.gpg'

set -eu
umask 022
temp=$(mktemp -d)
trap 'rm -rf -- "$temp"' EXIT
trap 'exit 1' HUP INT TERM
curl -fsSL --retry 3 --connect-timeout 20 --max-time 120 -o "$temp/key" "$1"
chmod 700 "$temp"
GNUPGHOME=$temp gpg --batch --quiet --no-tty --show-keys "$temp/key" > "$temp/keys" 2> "$temp/said" ||
  { echo "what $1 answers is no public key:" >&2; cat "$temp/said" >&2; exit 1; }
grep -q '^pub' "$temp/keys" || { echo "what $1 answers holds no public key" >&2; exit 1; }
if grep -q -e '-----BEGIN' "$temp/key"; then
  GNUPGHOME=$temp gpg --batch --quiet --no-tty --yes --output "$temp/keyring" --dearmor "$temp/key"
else
  mv "$temp/key" "$temp/keyring"
fi
mkdir -p "$(dirname "$2")"
install -m 0644 "$temp/keyring" "$2.launchpad-new"
mv -f "$2.launchpad-new" "$2"
