# from: hook
# user: root
dnf -y install tool-1.0; echo $?
dnf -y install tool-1.0-1.el9; echo $?
dnf check-update; echo $?
dnf -q check-update tool; echo $?
dnf -q check-update bash; echo $?
dnf -y install tool; echo $?
rpm -q tool; cat /usr/share/tool/version
