# from: lock: renew
# user: root
# args: '0a1b2c3d'

record=/run/launchpad/lock/record
if grep -qF "\"run_id\":\"$1\"" "$record" 2>/dev/null; then touch -c "$record"; echo kept; else echo lost; fi
