# from: hook
# user: root
dnf -y -q install jq; echo $?
dnf -y -q remove jq; echo $?
