# from: hook
# user: root
dnf -y -q --nogpgcheck install jq; echo $?
dnf -y -q erase jq; echo $?
yum -q -y update; echo $?
