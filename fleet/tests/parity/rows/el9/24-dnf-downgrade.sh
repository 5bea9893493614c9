# from: hook
# user: root
dnf -y downgrade tool; echo $?
dnf -y downgrade tool-1.1~rc1; echo $?
dnf -y downgrade bash; echo $?
dnf -y upgrade tool-1.1; echo $?
dnf -y upgrade tool; echo $?
dnf -y upgrade nothing; echo $?
dnf -y upgrade tool; echo $?
rpm -q tool
