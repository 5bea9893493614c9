# from: install-mcr: key
# user: root
curl -fsSL -o /tmp/key https://repos.mirantis.com/rocky/gpg; rpm --import /tmp/key; echo $?; rm /tmp/key
