# from: hook
# user: root
dnf -y -q install tool-1.0; dnf versionlock add tool; echo $?
dnf versionlock list; dnf -y upgrade tool; echo $?
dnf versionlock delete tool; dnf versionlock list; echo $?
dnf -q versionlock clear; dnf -y -q remove tool
