# from: hook
# user: lab
systemctl is-active docker; echo "status $?"
systemctl is-enabled docker; echo "status $?"
systemctl status docker --no-pager; echo "status $?"
systemctl show docker -p LoadState -p ActiveState -p SubState -p UnitFileState; echo "status $?"
systemctl cat docker; echo "status $?"
systemctl is-active ssh; systemctl is-enabled ssh; echo "status $?"
systemctl list-units --type=service --no-pager --no-legend 'docker*' 'ssh*'
systemctl list-unit-files --no-pager 'docker*' 'ssh.service'
systemctl is-system-running; echo "status $?"
systemctl is-failed docker; echo "status $?"
systemctl show ssh --value -p ActiveState
systemctl --version | head -n 1
