# from: list-mke-images: ask the bootstrapper
# user: root
# args: 'mirantis/ucp:3.8.9' '' 'images' '--list'

image=$1 selinux=$2
shift 2
docker image inspect "$image" >/dev/null 2>&1 || exit 44
exec docker run --rm -i $selinux -v /var/run/docker.sock:/var/run/docker.sock "$image" "$@"
