# from: hook
# user: root
journalctl -u docker -n 5 --no-pager; echo "status $?"
journalctl -u nosuch --no-pager -q; echo "status $?"
journalctl -u ssh -n 1 --no-pager -o cat | head -n 1 | cut -c1-20
journalctl --nosuch; echo "status $?"
