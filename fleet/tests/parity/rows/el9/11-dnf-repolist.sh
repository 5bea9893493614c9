# from: hook
# user: root
dnf repolist; echo $?
dnf -q repolist; dnf repolist --enabled; dnf repolist --disabled; dnf repolist --all
yum repolist all; echo $?
