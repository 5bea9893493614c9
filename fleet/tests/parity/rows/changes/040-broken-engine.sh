# from: hook
# user: root
sleep 9; systemctl is-active docker; systemctl is-failed docker; systemctl show docker -p ActiveState -p SubState -p Result; docker ps; echo "status $?"; docker info --format '{{.ServerVersion}}'; echo "status $?"; docker version --format '{{.Server.Version}}'; echo "status $?"; docker info --format '{{json .}}' | cut -c1-200; systemctl start docker; echo "status $?"; journalctl -u docker -n 30 --no-pager -o cat | grep 'unable to configure' | tail -n 1
systemctl stop docker.socket; docker ps; echo "status $?"
