# from: hook
# user: root
docker volume ls; ls -l /var/lib/docker/volumes/ucp-controller-server-certs/_data | awk '{ print $1, $3, $4, $5, $9 }'; docker volume rm ucp-controller-server-certs
