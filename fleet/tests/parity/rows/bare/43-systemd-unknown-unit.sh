# from: hook
# user: root
for verb in start stop restart reload enable disable mask unmask reset-failed; do systemctl $verb nosuch; echo "$verb: status $?"; done
systemctl mask docker.service; systemctl is-enabled docker.service; systemctl show docker -p LoadState; systemctl start docker; echo "status $?"; systemctl unmask docker.service
systemctl nosuch; echo "status $?"
