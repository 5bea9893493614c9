# from: hook
# user: root
dnf -q info socat | grep -v '^Size'; echo $?
dnf -q info bash | grep -v '^Size'; echo $?
dnf -q info nothing; echo $?
