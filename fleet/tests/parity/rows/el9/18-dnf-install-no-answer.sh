# from: hook
# user: root
dnf install socat; echo $?
dnf --assumeno install socat; echo $?
rpm -q socat
