# from: hook
# user: root
sleep 2
cat > /etc/init.d/upper <<'X'
#!/sbin/openrc-run
command=/usr/bin/sleep
command_args=90000
command_background=yes
pidfile=/run/upper.pid
depend() {
	need own
}
X
chmod 755 /etc/init.d/upper
rc-service own stop; echo "status $?"
rc-service upper start; echo "status $?"
rc-service own status; echo "status $?"
rc-service own stop; echo "status $?"
rc-service upper status; echo "status $?"
sleep 2
rm /etc/init.d/upper
