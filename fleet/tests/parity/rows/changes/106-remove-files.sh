# from: clean-up: remove files of launchpad
# user: root
# args: '/etc/apt/sources.list.d/mirantis.sources' '/usr/share/keyrings/mirantis-archive-keyring.gpg' '/run/launchpad/docker-config-0a1b2c3d'
exec rm -rf -- "$@"
