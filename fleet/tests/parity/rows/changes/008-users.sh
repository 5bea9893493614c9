# from: hook
# user: root
useradd -m -s /bin/bash deploy; echo "status $?"
useradd deploy; echo "status $?"
groupadd ops; groupadd ops; echo "status $?"; groupadd -g 2000 fixed; getent group fixed
usermod -aG ops,fixed deploy; id deploy; usermod -aG nosuch deploy; echo "status $?"
getent passwd deploy; ls -A /home/deploy; stat -c '%a %U:%G' /home/deploy
echo 'deploy:secret' | chpasswd; echo "status $?"; passwd -S deploy | cut -d' ' -f1,2
su deploy -c 'id -un; pwd'; runuser -u deploy -- whoami
useradd -r -s /usr/sbin/nologin svc; getent passwd svc | cut -d: -f1,6,7
useradd -u 1001 other; echo "status $?"
echo 'deploy ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/deploy; chmod 440 /etc/sudoers.d/deploy; visudo -cf /etc/sudoers.d/deploy; su deploy -c 'sudo -n id -u'
userdel -r deploy; echo "status $?"; userdel deploy; echo "status $?"; userdel svc; groupdel ops; groupdel ops; echo "status $?"; groupdel fixed; rm /etc/sudoers.d/deploy
id deploy; echo "status $?"; ls /home
