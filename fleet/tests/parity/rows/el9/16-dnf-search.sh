# from: hook
# user: root
dnf -q search socat; echo $?
dnf -q search nosuchthing; echo $?
dnf -q provides /usr/bin/socat; echo $?
dnf -q provides /no/such; echo $?
