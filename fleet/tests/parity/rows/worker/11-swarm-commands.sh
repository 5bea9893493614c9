# from: hook
# user: root
for c in 'node ls' 'node inspect self' 'node ps' 'service ls' 'config ls' 'secret ls' 'stack ls' 'swarm join-token worker' 'swarm unlock-key' 'swarm init' 'swarm join --token SWMTKN-1-x 10.77.1.1:2377' 'swarm leave nosuch' 'service create mirantis/busybox:1' 'node update --label-add a=b w1' 'swarm update --autolock'; do docker $c; echo "$c: status $?"; done
