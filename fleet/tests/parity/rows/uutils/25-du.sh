# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir -p /tmp/u/d; cd /tmp/u; printf 12345 >d/a; du -s d/a; du -sk d/a; du -sb d/a; du -s nix; echo $?; rm -rf /tmp/u
