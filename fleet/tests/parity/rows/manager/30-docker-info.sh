# from: hook
# user: root
docker info
