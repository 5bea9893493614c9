# from: hook
# user: root
dnf makecache; echo $?
dnf makecache; echo $?
dnf -q makecache; echo $?
dnf makecache --refresh; echo $?
