# from: hook
# user: root
dnf -y -q install --downloadonly jq; echo $?
rpm -q jq
