# from: hook
# of: sudo-rs 0.2.13
# user: lab
sudo --version | cut -c1-14; sudo -V | cut -c1-14; sudo -n id -u; sudo -n nosuch; echo $?; sudo -n -u nosuch id; echo $?; sudo -n /etc/passwd; echo $?; sudo -n sh -c 'exit 7'; echo $?; sudo -n -u lab id -un; sudo -n -- sh -c 'echo "$USER $HOME"'
sudo -n -i id -un; sudo -n --login id -u; sudo -n --user=root id -u; sudo -n --user root id -u; sudo -n -H id -un; echo hello | sudo -n tee /root/hello >/dev/null && sudo -n cat /root/hello; cat /root/hello; sudo -n rm /root/hello; sudo -n sh -c 'kill -9 $$'; echo $?
