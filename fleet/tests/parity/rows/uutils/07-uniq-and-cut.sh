# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; printf 'a:1\na:1\nb:2\nplain\n' >a
uniq a; uniq -c a; uniq -d a; uniq -u a; uniq nix; echo $?
cut -d: -f2 a; cut -d: -f1 -s a; cut -c1-2 a; cut -f x a; echo $?; cut a; echo $?; cut -d: -f1 nix; echo $?; cut -d: -f0 a; echo $?
cut -d: -f1,2 --output-delimiter=- a; rm -rf /tmp/u
