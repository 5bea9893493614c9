# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; touch a; ls; touch -c nix; echo $?; ls; touch nix/a; echo $?; touch; echo $?
touch -d '2024-02-29 12:30:00' a; stat -c %y a; touch -d @1700000000 a; stat -c %Y a; touch -r a b; stat -c %Y b; touch -r nix c; echo $?
touch -d garbage a; echo $?; touch /root/x; echo $?; rm -rf /tmp/u
