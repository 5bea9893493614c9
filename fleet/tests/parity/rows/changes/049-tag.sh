# from: pull-mke-images: docker tag
# user: root
# args: 'private.lab/mirantis/busybox:1' 'mirantis/busybox:2' 'mirantis/busybox:1' 'mirantis/busybox:3'

set -eu
while [ $# -gt 0 ]; do docker tag "$1" "$2"; shift 2; done
