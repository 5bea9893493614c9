# from: hook
# user: root
dnf -y autoremove; echo $?
dnf clean all >/dev/null; echo $?
dnf -q list --installed bash; dnf list bash >/dev/null; echo $?
