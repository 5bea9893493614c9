# from: hook
# of: sudo-rs 0.2.13
# user: lab
ls -l /usr/bin/sudo /usr/bin/sudo-rs /etc/alternatives/sudo | awk '{print $1, $(NF-2), $(NF-1), $NF}'; readlink -f /usr/bin/sudo; stat -L -c '%a %U' /usr/bin/sudo; sudo.ws -n id -u; sudo.ws -n nosuch; echo $?; command -v sudo
