# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; printf 12345 >a; chmod 640 a; touch -d '2024-02-29 12:30:00' a; : >e; ln -s a l; mkdir d
stat -c '%n %s %a %A %F %u %g %U %G %h' a; stat -c '%F' e l d /dev/null; stat -c %N a l; stat -L -c %F l; stat -c '%y' a; stat -c '%Y %04a' a; stat -c '%10s|%-10s|' a a
stat --printf '%s\n' a; stat --printf '%a' a; echo; stat -c %f a; stat -c '%%' a; stat nix; echo $?; stat -c %s a nix; echo $?; stat; echo $?; stat -c '%m' /proc; rm -rf /tmp/u
