# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; printf 'b 2\na 10\nc 1\na 10\n' >a
sort a; sort -u a; sort -k2,2n a; sort -r a; sort -t ' ' -k1,1 -u a; sort -c a; echo $?; sort nix; echo $?
sort -o b a; cat b; printf '1.10\n1.9\n' | sort -V; sort -n </dev/null; echo $?; sort .; echo $?; sort -o nix/b a; echo $?
sort a nix; echo $?; rm -rf /tmp/u
