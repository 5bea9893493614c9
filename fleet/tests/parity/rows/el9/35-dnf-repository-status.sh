# from: hook
# user: root
printf '[gone]\nname=Gone\nbaseurl=http://busy.lab/x\n' > /etc/yum.repos.d/gone.repo
dnf -q makecache; echo $?
rm /etc/yum.repos.d/gone.repo
