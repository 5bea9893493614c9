# from: hook
# user: root
zypper info socat | grep -v 'Installed Size'; echo $?
zypper -q info bash | grep -v 'Installed Size'; echo $?
zypper info nothing; echo $?
