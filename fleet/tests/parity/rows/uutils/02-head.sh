# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; printf '1\n2\n3\n4\n' >a
head -n 2 a; head -c 3 a; head -c 1K a; head -n -1 a; head -c -2 a; head -1 a
head -n x a; echo $?; head -c x a; echo $?; head -n 1 a a; head -q -n 1 a a; head -v -n 1 a
head nix; echo $?; head -n 1 nix a; echo $?; head .; echo $?; head -c 5k </dev/null; echo $?; rm -rf /tmp/u
