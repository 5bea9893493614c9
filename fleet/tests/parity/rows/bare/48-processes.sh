# from: hook
# user: lab
pgrep -c sshd >/dev/null; echo "status $?"
pgrep nosuch; echo "status $?"
ps -p 1 -o comm=; ps -o user= -p $$; ps -C nosuch; echo "status $?"
kill -0 $$ && echo mine; kill -0 1; echo "status $?"; kill -0 999999; echo "status $?"
cat /proc/1/comm; tr '\0' ' ' </proc/1/cmdline; echo
tr '\0' '\n' </proc/1/environ; echo "status $?"
test -d /run/systemd/system && echo systemd
ulimit -n; ulimit -Hn
cat /proc/sys/net/ipv4/ip_forward; sysctl -n net.ipv4.ip_forward; echo "status $?"
mountpoint -q /proc && echo mounted; mountpoint /home; echo "status $?"; findmnt -n -o FSTYPE /proc; grep -c ' / ' /proc/mounts
