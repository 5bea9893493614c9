# from: hook
# user: lab
set -- -a -b value -x rest
while getopts ab: o; do case $o in a) echo a ;; b) echo "b $OPTARG" ;; *) echo other ;; esac; done
shift $((OPTIND - 1)); echo "$1"
command -v test; command echo plain; command -v nosuch; echo "status $?"
x=1 sh -c 'echo "$x"'; echo "${x:-unset}"; export y=2; sh -c 'echo "$y"'; env -i sh -c 'echo "${y:-none}"'; unset y; echo "${y-unset}"
readonly r=1; ( r=2 ); echo "status $?"
echo a >/tmp/r; echo b >>/tmp/r; cat </tmp/r; exec 3</tmp/r; read -r l <&3; echo "$l"; exec 3<&-; rm /tmp/r
n=$(printf 'x\n\n\n'); echo "<$n>"; echo "$(printf 'a\nb')"; echo $(printf 'a\nb')
: ${z:?is missing}
echo never
