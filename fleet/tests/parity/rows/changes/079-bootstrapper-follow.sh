# from: install-mke: follow the bootstrapper
# user: root
docker logs --follow ucp 2>&1
