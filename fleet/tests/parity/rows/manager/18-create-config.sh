# from: install-mke: docker config create
# user: root
# args: 'com.docker.ucp.config'
# stdin: [auth]\n  sessions = 5\n

docker config rm "$1" >/dev/null 2>&1 || true
docker config create "$1" - >/dev/null
