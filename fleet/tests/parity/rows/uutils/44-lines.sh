# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; printf '1\n2\n3\n' >a; printf '2\n3\n4\n' >b; comm a b; comm -12 a b; comm a nix; echo $?; paste a b; paste -sd, a; paste nix; echo $?; tac a; tac nix; echo $?; nl a; nl nix; echo $?; join a b; join a nix; echo $?; fold -w 2 </etc/hostname | head -n 1; fold nix; echo $?; comm a; echo $?; join a; echo $?; rm -rf /tmp/u
