# from: hook
# of: sudo-rs 0.2.13
# user: lab
sudo -n env | sort; A=1 sudo -n -E env | grep -c ^A=; sudo -n --preserve-env id -u; sudo -n -u lab env | grep -e ^SUDO -e ^HOME -e ^MAIL | sort
