# from: hook
# user: root
dnf -y install talkative-1.0; echo $?
echo mine > /etc/talkative.conf
dnf -y upgrade talkative; echo $?
ls /etc/talkative.conf*; rpm -V talkative; rpm -qc talkative
rpm -q --scripts talkative
dnf -y remove talkative; echo $?
ls /etc/talkative.conf*; rm -f /etc/talkative.conf*
