# from: hook
# user: root
dnf install -y socat; echo $?
rpm -q socat; ls -l /usr/bin/socat | cut -c1-10; rpm -qf /usr/bin/socat; rpm -ql socat; rpm -qa 'gpg-pubkey*' | wc -l
dnf install -y socat; echo $?
dnf install -y -q socat; echo $?
