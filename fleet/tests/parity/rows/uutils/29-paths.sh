# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
basename /a/b.c; basename /a/b.c .c; basename /; basename; echo $?; basename -a /a/b /c/d; basename -s .c b.c; dirname /a/b; dirname a; dirname /; dirname; echo $?; dirname /a/b /c/d/; cd /tmp; env pwd; basename a b c; echo $?
