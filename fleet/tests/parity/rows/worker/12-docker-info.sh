# from: hook
# user: root
docker info | sed -n "1,/^ Runtimes/p"
