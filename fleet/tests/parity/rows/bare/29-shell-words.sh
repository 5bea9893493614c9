# from: hook
# user: lab
set -- 'a b' c ''
echo "$# $1"
for x in "$@"; do echo "<$x>"; done
for x in $*; do echo "<$x>"; done
shift 2
echo "$#"
v=/etc/docker/daemon.json
echo "${v##*/} ${v%/*} ${v#/etc} ${v%%.*} ${#v}"
echo "${unset:-d} ${unset:+p} ${v:+p}"
echo "${w:=assigned} $w"
echo $((7 / 2)) $((7 % 2)) $((2 * (3 + 4))) $((1 < 2 && 3 > 4)) $((x = 5)) $x $((0x1f)) $((010))
case $v in *.json) echo json ;; *) echo other ;; esac
i=0; while [ $i -lt 3 ]; do i=$((i + 1)); [ $i = 2 ] && continue; printf '%s ' $i; done; echo
until [ $i -eq 0 ]; do i=$((i - 1)); done; echo "$i"
f() { local y=2; echo "f $1 $y $#"; return 3; }
f a b; echo "status $?"
IFS=:; set -- $(echo a:b:c); unset IFS; echo "$2"
echo /etc/host*
echo '/etc/nosuch*'/* /etc/nosuch*
echo a{b,c} ~ "~" $(echo `echo nested`)
eval 'echo "evaluated $v"'
echo "one\ttwo" 'three\nfour'
echo -n no newline; echo; echo -e x
[ -n "" ] || [ -z "$nosuch" ] && echo both
