# from: hook
# user: root
zypper --non-interactive install --dry-run socat; echo $?
rpm -q socat
