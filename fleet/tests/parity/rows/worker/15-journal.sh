# from: hook
# user: root
journalctl -u docker --no-pager -o cat | grep -c 'API listen on'
journalctl -u docker -n 2 --no-pager >/dev/null; echo "status $?"
journalctl -u docker --no-pager -o cat -n 1 | wc -l
journalctl -u docker --since '1 hour ago' --no-pager -q | head -n 1 | cut -d' ' -f4
journalctl -u docker -p err --no-pager -q | wc -l
