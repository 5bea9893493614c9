# from: hook
# of: coreutils (uutils) 0.8.0
# user: root
mkdir /tmp/u; cd /tmp/u; : >a; chown lab a; stat -c %U:%G a; chown lab:lab a; stat -c %U:%G a; chown 7:9 a; stat -c %u:%g a; mkdir -p d/e; chown -R lab: d; stat -c %U:%G d/e
chgrp root d; stat -c %U:%G d; chown root:root nix a; echo $?; stat -c %U a; ln -s a l; chown -h lab l; stat -c %U l a; rm -rf /tmp/u
