# from: probe-sources
# user: lab
# args: 'https://registry-1.docker.io/v2/' 'https://repos.mirantis.com/ubuntu/gpg'

command -v curl >/dev/null || exit 0
for url in "$@"; do
  (
    said=$(curl -sSL -o /dev/null --connect-timeout 8 -m 20 -w '%{http_code}' "$url" 2>&1)
    printf '%s %s %s\n' "$url" "$?" "$(printf '%s' "$said" | tr '\n' ' ')"
  ) &
done
wait
