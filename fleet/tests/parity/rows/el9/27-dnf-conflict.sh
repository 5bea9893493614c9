# from: hook
# user: root
dnf -y install rival; echo $?
dnf -y install --allowerasing rival; echo $?
rpm -q rival tool
dnf -y remove rival; echo $?
