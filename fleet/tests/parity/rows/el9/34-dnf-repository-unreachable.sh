# from: hook
# user: root
printf '[gone]\nname=Gone\nbaseurl=http://refused.lab/el9\n' > /etc/yum.repos.d/gone.repo
dnf makecache; echo $?
printf '[gone]\nname=Gone\nbaseurl=http://nowhere.invalid/el9\n' > /etc/yum.repos.d/gone.repo
dnf -q makecache; echo $?
printf '[gone]\nname=Gone\n' > /etc/yum.repos.d/gone.repo
dnf -q makecache; echo $?
printf 'nonsense\n' > /etc/yum.repos.d/gone.repo
dnf -q makecache; echo $?
rm /etc/yum.repos.d/gone.repo
