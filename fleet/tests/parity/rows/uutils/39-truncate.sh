# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; truncate -s 10 a; stat -c %s a; truncate -s 3 a; stat -c %s a; truncate; echo $?; truncate -s 0 nix/a; echo $?; truncate a; echo $?; truncate -s x a; echo $?; truncate -s 1K a; stat -c %s a; truncate -s 0 a; stat -c %s a; rm -rf /tmp/u
