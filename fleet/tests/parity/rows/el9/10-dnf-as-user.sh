# from: hook
# user: lab
dnf install -y socat; echo $?
dnf remove -y legacy; echo $?
dnf -y upgrade; echo $?
