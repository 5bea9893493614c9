# from: hook
# user: root
dnf install -y nothing; echo $?
dnf install -y socat nothing; echo $?
dnf -q install -y nothing; echo $?
dnf remove -y nothing; echo $?
rpm -q socat
