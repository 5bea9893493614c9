# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; : >a; chmod 640 a; stat -c %a a; chmod u+x,go-r a; stat -c %a a; chmod -w a; stat -c %a a; chmod nix a; echo $?
chmod 644 nix; echo $?; chmod 999 a; echo $?; chmod 644; echo $?; chmod; echo $?; mkdir -p d/e; chmod -R 700 d; stat -c %a d/e; chmod 600 /etc/passwd; echo $?
chmod =r a; stat -c %A a; chmod a+X d; stat -c %a d; chmod 4755 a; stat -c %A a; rm -rf /tmp/u
