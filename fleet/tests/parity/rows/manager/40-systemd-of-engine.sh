# from: hook
# user: root
systemctl is-active docker; systemctl is-enabled docker; echo "status $?"
systemctl is-active containerd docker.socket nosuch; echo "status $?"; systemctl is-enabled containerd docker.socket
systemctl show docker -p LoadState -p ActiveState -p SubState -p UnitFileState -p NeedDaemonReload -p FragmentPath -p Result
systemctl show docker --value -p MainPID | grep -cE '^[1-9][0-9]*$'
systemctl status docker --no-pager -n 0 | head -n 5
systemctl status docker --no-pager -n 0 >/dev/null; echo "status $?"
systemctl list-units --type=service --state=running --no-legend --no-pager --plain 'docker*' 'containerd*' 'ssh*'
systemctl list-unit-files --no-legend --no-pager 'docker*' 'containerd*'
systemctl cat docker.service
journalctl -u docker -n 1 --no-pager -o cat | cut -c1-5
systemctl list-dependencies docker --no-pager --plain | head -n 3
