# from: install-mke: remove the bootstrapper
# user: root
docker rm --force ucp
