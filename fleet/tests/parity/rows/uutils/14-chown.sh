# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; : >a; chown root a; echo $?; chown nobody-at-all a; echo $?; chown lab:nix a; echo $?; chown lab a; echo $?; chown lab nix; echo $?
chown; echo $?; chown root; echo $?; chgrp root a; echo $?; chgrp nix a; echo $?; chgrp; echo $?; chown :nix a; echo $?; chown 1000:1000 a; echo $?; chown nix:nix a; echo $?; rm -rf /tmp/u
