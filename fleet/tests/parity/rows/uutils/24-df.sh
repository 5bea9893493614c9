# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
df -P /tmp; df -k /tmp; df /nix; echo $?; df -h /tmp; df --output=target /tmp; df --output=size,avail /tmp; df --output=avail -B1 /tmp; df -B1 -P /tmp; df -P /tmp /nix; echo $?; df -BM /tmp; df -i /nix; echo $?
