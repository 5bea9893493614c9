# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; echo one >a; install a b; stat -c '%a %U %s' b; install -m 600 a c; stat -c %a c; install -m u=rw,g=r a c; stat -c %a c; install -d x/y; stat -c %a x/y; install -d -m 700 z; stat -c %a z
install -D a p/q/r; cat p/q/r; install nix d; echo $?; install a nix/d; echo $?; install; echo $?; install a; echo $?; mkdir dir; install a dir; ls dir; install -T a dir; echo $?
install -m xyz a e; echo $?; install -o root a e; echo $?; install -t dir b; ls dir; install a b nix; echo $?; install . e; echo $?; install -d; echo $?; install -v a w; install -d -v k; rm -rf /tmp/u
