# from: hook
# of: sudo-rs 0.2.13
# user: lab
sudo; echo $?; sudo -n; echo $?; sudo -x; echo $?; sudo --nix; echo $?; sudo -n -u; echo $?
