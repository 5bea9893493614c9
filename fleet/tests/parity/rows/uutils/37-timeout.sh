# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
timeout 5 true; echo $?; timeout 0.2 sleep 5; echo $?; timeout 5 nix; echo $?; timeout; echo $?; timeout 5; echo $?; timeout x true; echo $?; timeout -s NIX 5 true; echo $?; timeout -k 1 0.2 sleep 5; echo $?; timeout -s KILL 0.2 sleep 5; echo $?; timeout 5 sh -c 'exit 3'; echo $?; timeout 5 /etc/passwd; echo $?; timeout --preserve-status 0.2 sleep 5; echo $?; timeout 0 true; echo $?
