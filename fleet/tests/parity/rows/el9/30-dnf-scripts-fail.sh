# from: hook
# user: root
dnf -y install refuses; echo $?
rpm -q refuses
dnf -y install stumbles; echo $?
rpm -q stumbles
dnf -y remove stumbles; echo $?
