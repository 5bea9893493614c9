# from: hook
# user: root
zypper addlock tool; echo $?
zypper locks; echo $?
zypper -n install tool=1.1; echo $?
zypper -n remove tool; echo $?
zypper removelock tool; echo $?
zypper removelock tool; echo $?
zypper locks; echo $?
cat /etc/zypp/locks
