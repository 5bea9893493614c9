# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
env test -f /etc/passwd; echo $?; env test 1 -lt 2; echo $?; env test a = b; echo $?; env [ -d / ]; echo $?; env [ -d /; echo $?; env test x -lt 2; echo $?; env test; echo $?; env test -n ''; echo $?; env test '!' -e /nix; echo $?; env test ! ''; echo $?
