# from: hook
# user: lab
zypper -n install socat; echo $?
zypper -n refresh; echo $?
zypper -n addrepo http://archive.lab/x x; echo $?
zypper -n remove legacy; echo $?
