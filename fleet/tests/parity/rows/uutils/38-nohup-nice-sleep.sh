# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
nohup; echo $?; nohup nix; echo $?; nohup true </dev/null; echo $?; nice true; echo $?; nice nix; echo $?; sleep; echo $?; sleep x; echo $?; sleep 0.1; echo $?; nice -n 5 true; echo $?; nohup sh -c 'echo out'; echo $?; sleep 1x; echo $?; sleep -1; echo $?
