# from: hook
# user: root
zypper -n install refuses; echo $?
rpm -q refuses
zypper -n install stumbles; echo $?
rpm -q stumbles
zypper -n -q remove stumbles; echo $?
