# from: hook
# of: coreutils (uutils) 0.8.0
# user: root
mkdir /tmp/u; cd /tmp/u; echo one >a; install -o lab -g lab -m 640 a b; stat -c '%a %U:%G' b; install -d -o lab -g root -m 750 d/e; stat -c '%a %U:%G' d d/e; install -o 1000 -g 1000 a c; stat -c %U:%G c
install -o root a /no/such; echo $?; rm -rf /tmp/u
