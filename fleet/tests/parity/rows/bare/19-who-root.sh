# from: hook
# user: root
id
whoami
echo "$HOME $USER $LOGNAME $SHELL $SUDO_USER"
pwd
umask
echo "$PATH"
