# from: hook
# user: root
dnf -y -q install jq; rpm -e oniguruma; echo $?
rpm -e jq; echo $?
rpm -q jq; rpm -e oniguruma jq; echo $?
rpm -e --nodeps glibc-nothing; rpm -e --test socat; echo $?
rpm -q socat; rpm -e socat; rpm -q socat; ls /usr/bin/socat
