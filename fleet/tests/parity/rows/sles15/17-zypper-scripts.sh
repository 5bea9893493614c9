# from: hook
# user: root
zypper -n install talkative=1.0; echo $?
echo mine > /etc/talkative.conf
zypper -n update talkative; echo $?
ls /etc/talkative.conf*
zypper -n remove talkative; echo $?
rm -f /etc/talkative.conf*
