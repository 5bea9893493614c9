# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; printf '1\n2\n3\n4\n' >a
tail -n 2 a; tail -c 3 a; tail -n +3 a; tail -c +7 a; tail -1 a
tail -n x a; echo $?; tail -c x a; echo $?; tail -n 1 a a; tail -q -n 1 a a
tail nix; echo $?; tail -n 1 nix a; echo $?; tail .; echo $?; tail -n 1 </dev/null; echo $?
printf 'no end' | tail -n 3; echo; rm -rf /tmp/u
