# from: hook
# user: root
sleep 2
cat > /etc/init.d/bad <<'X'
#!/sbin/openrc-run
description="It does not start"
start() {
	ebegin "Starting the bad one"
	echo 'it says why' >&2
	false
	eend $? "it is bad"
}
stop() {
	return 0
}
X
chmod 755 /etc/init.d/bad
rc-service bad start; echo "status $?"
rc-service bad status; echo "status $?"
rc-service bad stop; echo "status $?"
rc-service bad restart; echo "status $?"
rc-service bad nonsense; echo "status $?"
