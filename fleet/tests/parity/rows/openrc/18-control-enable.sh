# from: rig: control a service
# user: root
# args: 'enable' 'own'

verb=$1 service=$2
if [ -d /run/systemd/system ]; then
  case $verb in
    enable|disable) exec systemctl "$verb" --quiet "$service" ;;
    reload-units) exec systemctl daemon-reload ;;
  esac
  systemctl "$verb" "$service" && exit 0
  status=$?
  journalctl -u "$service" -n 20 --no-pager >&2 2>/dev/null
  exit $status
fi
case $verb in
  enable) exec rc-update add "$service" default ;;
  disable) [ ! -L "/etc/runlevels/default/$service" ] || exec rc-update del "$service" default ;;
  reload-units) exit 0 ;;
  *) exec rc-service "$service" "$verb" ;;
esac
