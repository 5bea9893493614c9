# from: hook
# of: sudo-rs 0.2.13
# user: root
sudo -u daemon sudo -n id; echo $?; sudo -u daemon sudo id </dev/null; echo $?; sudo -u daemon sudo -n -v; echo $?; sudo -u daemon sudo -n -l; echo $?
echo 'daemon ALL=(ALL) ALL' >/etc/sudoers.d/zz; chmod 440 /etc/sudoers.d/zz
sudo -u daemon sudo -n id; echo $?; sudo -u daemon sudo id </dev/null; echo $?; sudo -u daemon sudo -n -v; echo $?; sudo -u daemon sudo -n -l; echo $?; sudo -u daemon sudo -n nosuch; echo $?
echo 'daemon ALL=(ALL) NOPASSWD: /usr/bin/id' >/etc/sudoers.d/zz
sudo -u daemon sudo -n id; echo $?; sudo -u daemon sudo -n true; echo $?; sudo -u daemon sudo -n -v; echo $?; sudo -u daemon sudo ls / </dev/null; echo $?; sudo -u daemon sudo -n nosuch; echo $?
rm /etc/sudoers.d/zz
