# from: hook
# user: root
dnf list installed; echo $?
dnf list --available tool; echo $?
dnf list tool; dnf list --showduplicates tool; echo $?
dnf -q list nothing; echo $?
dnf -q list installed nothing; echo $?
dnf -q list 'open*'; echo $?
