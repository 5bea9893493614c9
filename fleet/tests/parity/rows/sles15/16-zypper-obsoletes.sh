# from: hook
# user: root
zypper -n install modern; echo $?
rpm -q legacy modern
