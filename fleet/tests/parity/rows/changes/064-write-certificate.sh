# from: install-mke-certificates: write
# user: root
# args: 'ca.pem'
# stdin: -----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n

set -eu
umask 077
name=$1
docker volume inspect ucp-controller-server-certs >/dev/null 2>&1 ||
  docker volume create ucp-controller-server-certs >/dev/null
dir=$(docker volume inspect ucp-controller-server-certs --format '{{.Mountpoint}}')
temporary="$dir/.$name.$$"
trap 'rm -f "$temporary"' EXIT HUP INT TERM
cat > "$temporary"
chmod 0600 "$temporary"
mv "$temporary" "$dir/$name"
trap - EXIT
sha256sum < "$dir/$name"
