# from: join-workers: join the swarm
# user: root
# host: w1
# stdin: {"ListenAddr":"0.0.0.0:2377","AdvertiseAddr":"10.77.1.11:2377","RemoteAddrs":["10.77.1.1:2377"],"JoinToken":"{{worker-token}}"}

answer=$(curl -sS --max-time 110 --unix-socket /var/run/docker.sock \
  -H 'Content-Type: application/json' -w ' %{http_code}' --data-binary @- \
  http://localhost/swarm/join) || exit 1
case $answer in
  *' 200') ;;
  *) printf 'the engine refused: %s\n' "$answer" >&2; exit 1 ;;
esac
