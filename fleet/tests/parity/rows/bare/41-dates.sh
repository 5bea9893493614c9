# from: hook
# user: lab
date -u -d @0 +%FT%TZ
date -u -d '2024-02-29 12:34:56' '+%Y-%m-%d %H:%M:%S %j %u %a %b %s'
date -u -d '2024-01-01 +1 day' +%F
date -u +%F | grep -cE '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
date +%s | grep -cE '^[0-9]{10}$'
date -u +%Z
date -Is -u -d @86400
date -d nosuch; echo "status $?"
date --nosuch; echo "status $?"
date
