# from: hook
# user: root
sleep 2
mkdir -p /etc/conf.d
echo 'OWN_SECONDS=77777' > /etc/conf.d/own
echo 'SECONDS_OF_OLD=66666' > /etc/default/old
rc-service own restart >/dev/null
sleep 1; ps -p "$(cat /run/own.pid)" -o args=
rc-service old restart >/dev/null
sleep 1; ps -p "$(cat /run/old.pid)" -o args=
sleep 2
rm /etc/conf.d/own /etc/default/old
