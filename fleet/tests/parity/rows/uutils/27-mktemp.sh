# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
cd /tmp; a=$(mktemp); case $a in /tmp/tmp.??????????) echo file;; esac; stat -c %a "$a"; rm "$a"; d=$(mktemp -d); stat -c '%a %F' "$d"; rmdir "$d"; a=$(mktemp /tmp/u.XXXXXX); case $a in /tmp/u.??????) echo template;; esac; rm "$a"
mktemp /tmp/u.XX; echo $?; mktemp nix/u.XXXXXX; echo $?; mktemp -d /nix/u.XXXXXX; echo $?; mktemp plain; echo $?; mktemp -p /nix; echo $?; a=$(mktemp -p /tmp u.XXXX); echo "${a%.*}"; rm "$a"; a=$(mktemp -t u.XXXX); echo "${a%.*}"; rm "$a"; mktemp -u /tmp/u.XXXXX | sed 's/\..*//'; mktemp /root/u.XXXXXX 2>&1 | sed 's/u\.[A-Za-z0-9]*/u.X/'
