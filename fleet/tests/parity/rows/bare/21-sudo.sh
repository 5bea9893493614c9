# from: hook
# user: lab
sudo -n id -u
sudo -n -- sh -c 'echo "$USER $HOME"'
echo hello | sudo -n tee /root/hello >/dev/null && sudo -n cat /root/hello
cat /root/hello
echo "status $?"
sudo -n rm /root/hello
sudo -n -u lab id -un
sudo -n nosuch
echo "status $?"
sudo -n -l | tail -n 1
