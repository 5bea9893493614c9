# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; : >'with space'; : >"quote'd"; ls; ls -1 | cat; ls -l "with space" | sed 's/.* //'; ls "no such"; echo $?; ls /root; echo $?; ls -l /root/x; echo $?; mkdir d; chmod 0 d; ls d; echo $?; ls d/x; echo $?; rmdir d; rm -rf /tmp/u
