# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
env -i A=1 env; env -u HOME env | grep -c ^HOME; env -i PATH=$PATH nix; echo $?; env A=b sh -c 'echo $A'; env -i sh -c 'echo x$HOME'; env -C / pwd; env /etc/passwd; echo $?; printenv NIX; echo $?; A=1 printenv A; env -C /nix pwd; echo $?; env A=1 B=2 printenv A B
