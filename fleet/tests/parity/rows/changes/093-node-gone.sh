# from: hook
# user: root
i=0; while [ $i -lt 60 ] && [ "$(docker node inspect w1 --format "{{.Status.State}}")" != down ]; do sleep 0.5; i=$((i + 1)); done
docker node ls --format '{{.Hostname}} {{.Status}}' | sort; docker node rm w1; docker node rm w1; echo "status $?"; docker node ls -q | wc -l
