# from: pull-mke-images: docker tag
# user: root
# args: 'mirantis/busybox:1' 'mirantis/busybox:4' 'mirantis/nosuch:1' 'x:1'

set -eu
while [ $# -gt 0 ]; do docker tag "$1" "$2"; shift 2; done
