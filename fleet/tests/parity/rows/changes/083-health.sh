# from: validate-mke-health: ask the manager how it is
# user: root
# args: '443'

timeout 10 docker node ls -q >/dev/null 2>&1 || { echo "the swarm does not answer"; exit 0; }
[ -n "$1" ] || { echo well; exit 0; }
code=$(curl -ks -m 5 -o /dev/null -w '%{http_code}' "https://127.0.0.1:$1/_ping") || true
case $code in
  200) echo well ;;
  000) echo "MKE does not answer" ;;
  *) echo "MKE answers with status $code" ;;
esac
