# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; mkdir -p a/b c; rmdir a; echo $?; rmdir nix; echo $?; rmdir -p a/b; echo $?; : >f; rmdir f; echo $?
mkdir -p d/e; rmdir --ignore-fail-on-non-empty d; echo $?; rmdir; echo $?; rm -rf /tmp/u
