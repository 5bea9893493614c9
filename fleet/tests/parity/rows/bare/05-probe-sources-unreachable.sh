# from: probe-sources
# user: lab
# args: 'http://127.0.0.1:1/' 'https://nosuch.invalid/' 'https://repos.mirantis.com/nosuch'

command -v curl >/dev/null || exit 0
probe() {
  curl -sSL -o /dev/null --connect-timeout 8 -m 20 -w '%{http_code}' "$@" 2>&1
}
for url in "$@"; do
  (
    said=$(probe "$url")
    status=$?
    # A certificate that only the engine is told to trust: curl has to be told, too.
    place=${url#https://}
    for ca in /etc/docker/certs.d/"${place%%/*}"/*.crt; do
      # 35 where a trusted CA has the same name and another key.
      case $status in 35 | 60) ;; *) continue ;; esac
      [ -e "$ca" ] || continue
      said=$(probe --cacert "$ca" "$url")
      status=$?
    done
    printf '%s %s %s\n' "$url" "$status" "$(printf '%s' "$said" | tr '\n' ' ')"
  ) &
done
wait
