# from: leave-swarm: docker swarm leave
# user: root
# host: w1

said=$(docker swarm leave --force 2>&1) && exit 0
case $said in *'not part of a swarm'*) exit 0 ;; esac
printf '%s\n' "$said" >&2
exit 1
