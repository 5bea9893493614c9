# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
env true; echo $?; env false; echo $?; env yes | head -n 2; env yes no | head -n 1; env true nix; echo $?; sync; echo $?; tty; echo $?; tty -s; echo $?; stty -a; echo $?; unlink /nix; echo $?; unlink; echo $?; users; who; mkdir /tmp/u; unlink /tmp/u; echo $?; rmdir /tmp/u
