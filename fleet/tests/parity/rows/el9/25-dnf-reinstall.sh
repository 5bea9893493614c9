# from: hook
# user: root
dnf -y reinstall tool; echo $?
dnf -y reinstall jq; echo $?
