# from: hook
# user: root
sleep 2
cat > /etc/init.d/own <<'X'
#!/sbin/openrc-run
description="A service of one's own"
command=/usr/bin/sleep
command_args=${OWN_SECONDS:-100000}
command_background=yes
pidfile=/run/own.pid

depend() {
	after cron
}
X
rc-service own status; echo "status $?"
chmod 755 /etc/init.d/own
rc-service own status; echo "status $?"
rc-service own start; echo "status $?"
rc-service own status; echo "status $?"
test -s /run/own.pid; echo "status $?"
sleep 1; ps -p "$(cat /run/own.pid)" -o args=
