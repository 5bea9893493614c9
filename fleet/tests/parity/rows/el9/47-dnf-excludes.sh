# from: hook
# user: root
dnf -y -q install tool --exclude='tool-1.1^*'; echo $?
rpm -q tool; dnf -q check-update tool --setopt=excludepkgs=tool; echo $?
dnf -y -q remove tool
