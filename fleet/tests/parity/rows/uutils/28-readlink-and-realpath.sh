# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir -p /tmp/u/d; cd /tmp/u; : >d/a; ln -s d/a l; ln -s nix dead; readlink l; readlink d; echo $?; readlink nix; echo $?; readlink -f l; readlink -f nix; echo $?; readlink -f nix/x; echo $?; readlink -e nix; echo $?; readlink -m nix/x; readlink -n l; echo; readlink; echo $?
realpath l; realpath nix; echo $?; realpath nix/x; echo $?; realpath -e nix; echo $?; realpath -m nix/x; realpath d/..; realpath; echo $?; realpath dead; echo $?; rm -rf /tmp/u
