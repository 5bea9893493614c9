# from: hook
# of: coreutils (GNU) 9.1
# user: lab
mkdir /tmp/u; cd /tmp/u; echo a >a; cp a b; cp nix c; echo $?; mv nix c; echo $?; rm nix; echo $?; rm -f nix; echo $?; rm; echo $?; cp a; echo $?; mkdir d; rm d; echo $?; cp d e; echo $?; mv a d/; ls d; cp -p d/a x; rm -rf d; ls; rm -rf /tmp/u
