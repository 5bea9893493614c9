# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
seq 3; seq 2 4; seq 1 2 6; seq -s, 3; seq -w 8 10; seq 3 1; seq; echo $?; seq x; echo $?; seq 3 -1 1; seq 1 x; echo $?; seq 1 2 3 4; echo $?; seq 1 0 5; echo $?
