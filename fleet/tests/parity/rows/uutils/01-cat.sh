# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; printf 'one\ntwo\n' >a; printf 'last' >b
cat a b; echo " $?"; cat -n a; cat a - </dev/null; cat nix; echo $?; cat a nix/x a/b; echo $?
cat .; echo $?; : >s; chmod 0 s; cat s; echo $?; cat -u b; echo; rm -rf /tmp/u
