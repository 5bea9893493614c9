# from: hook
# user: lab
df -h /
df -Pk /var/lib | tail -n 1 | awk '{ print ($4 > 1000000) ? "enough" : "too little" }'
free -m
free -m | awk '/^Mem:/ { print ($2 > 1024) ? "enough" : "too little" }'
awk '/MemTotal/ { print $1, $3 }' /proc/meminfo
df /nosuch
echo "status $?"
