# from: probe-sources
# user: lab
# args: 'http://127.0.0.1:1/' 'https://nosuch.invalid/' 'https://repos.mirantis.com/nosuch'

command -v curl >/dev/null || exit 0
for url in "$@"; do
  (
    said=$(curl -sSL -o /dev/null --connect-timeout 8 -m 20 -w '%{http_code}' "$url" 2>&1)
    printf '%s %s %s\n' "$url" "$?" "$(printf '%s' "$said" | tr '\n' ' ')"
  ) &
done
wait
