# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
timeout -k 0.3 0.2 sh -c 'trap "" TERM; while :; do sleep 1; done'; echo $?; timeout 0.2 sh -c 'trap "echo t; exit 5" TERM; while :; do sleep 0.1; done'; echo $?; timeout -s INT 0.2 sleep 3; echo $?; timeout --preserve-status -s KILL 0.2 sleep 3; echo $?
