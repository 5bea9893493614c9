# from: hook
# user: root
ls -d /run/systemd/system
for name in systemctl journalctl timedatectl hostnamectl loginctl; do command -v $name || echo "no $name"; done
for name in rc-service rc-update rc-status openrc openrc-run; do command -v $name || echo "no $name"; done
cat /proc/1/comm
ps -p 1 -o comm=
ls /run/openrc | grep -v deptree
cat /run/openrc/softlevel
ls -d /etc/runlevels/*
