# from: hook
# user: lab
id
id -u
id -un
id -Gn
whoami
id root
groups
getent passwd lab
getent group lab docker
echo "status $?"
getent passwd nosuch
echo "status $?"
id nosuch
echo "status $?"
echo "$HOME $USER $LOGNAME $SHELL"
pwd
umask
