# from: hook
# user: root
dnf check-update; echo $?
dnf -y upgrade; echo $?
rpm -q legacy modern
dnf -y upgrade; echo $?
dnf check-update; echo $?
