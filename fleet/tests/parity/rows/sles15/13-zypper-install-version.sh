# from: hook
# user: root
zypper -n install tool=1.0; echo $?
zypper -n install tool-1.1-1.sles15; echo $?
zypper -n install 'tool>=1.1'; echo $?
zypper list-updates; echo $?
zypper -n update tool; echo $?
zypper -n update tool; echo $?
rpm -q tool
zypper -n install tool=1.0; echo $?
zypper -n install --oldpackage tool=1.0; echo $?
zypper -n install tool=7; echo $?
rpm -q tool
