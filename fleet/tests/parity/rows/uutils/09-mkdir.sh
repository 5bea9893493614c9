# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; mkdir a; echo $?; mkdir a; echo $?; mkdir -p a/b/c; echo $?; mkdir x/y; echo $?
mkdir -m 700 d; stat -c %a d; mkdir -m u=rwx,go= e; stat -c %a e; : >f; mkdir f/g; echo $?; mkdir -p f/g/h; echo $?; mkdir -p f; echo $?
mkdir -v g; mkdir; echo $?; mkdir -m xyz h; echo $?; mkdir /root/x; echo $?; rm -rf /tmp/u
