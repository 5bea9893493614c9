# from: hook
# of: sudo-rs 0.2.13
# user: lab
sudo -n -l; echo $?; sudo -n -v; echo $?; sudo -n -l ls /; echo $?; sudo -n -l nosuch; echo $?
