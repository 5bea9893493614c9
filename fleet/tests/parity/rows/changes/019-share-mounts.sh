# from: install-mcr: share mounts
# user: root

if tr '\0' '\n' < /proc/1/environ 2>/dev/null | grep -q '^container=docker'; then mount --make-rshared /; fi
