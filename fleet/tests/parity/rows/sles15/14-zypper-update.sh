# from: hook
# user: root
zypper -n update; echo $?
zypper -n up nothing; echo $?
zypper -n update; echo $?
rpm -q tool legacy
