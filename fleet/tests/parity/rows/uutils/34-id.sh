# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
id; id -u; id -g; id -un; id -gn; id -G; id -Gn; id root; id nix; echo $?; id -u nix; echo $?; whoami; groups; groups root; groups nix; echo $?; logname; echo $?; id -u lab root; echo $?
