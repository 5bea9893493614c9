# from: hook
# user: root
ls -A /run/launchpad/docker-config-0a1b2c3d; stat -c '%a %n' /run/launchpad/docker-config-0a1b2c3d /run/launchpad/docker-config-0a1b2c3d/config.json; sed 's/"auth": ".*"/"auth": "…"/' /run/launchpad/docker-config-0a1b2c3d/config.json; docker logout private.lab; echo "status $?"; ls -A /root/.docker; echo "status $?"
