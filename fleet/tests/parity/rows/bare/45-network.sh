# from: hook
# user: lab
ip -4 -o addr show eth0
ip -br link show eth0
ip route
ip route get 10.77.1.1 | head -n 1
ip -o link show
ip addr show nosuch; echo "status $?"
ss -tln
ss -Hltn | awk '{ print $4 }' | sort
cat /etc/hosts
cat /etc/resolv.conf
getent hosts localhost
getent hosts w1
getent hosts nosuch.invalid; echo "status $?"
cat /sys/class/net/eth0/operstate /sys/class/net/eth0/mtu
ls /sys/class/net
