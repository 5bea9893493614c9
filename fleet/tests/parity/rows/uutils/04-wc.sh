# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; printf 'one two\nthree\n' >a; : >e
wc a; wc -l a; wc -c <a; wc -w a e; wc -l a e nix; echo $?; wc <a; wc -lc a; wc -m a; wc .; echo $?
printf 'x' | wc -l; printf 'x' | wc; cat a | wc -lw; rm -rf /tmp/u
