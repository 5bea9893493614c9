# from: hook
# user: root
sleep 1
rpm -e $(rpm -qa 'gpg-pubkey*'); sed -i 's/^gpgkey.*//' /etc/yum.repos.d/docker-ee.repo
dnf install -y containerd.io; echo $?
sleep 1
sed -i '/^$/d' /etc/yum.repos.d/docker-ee.repo; echo 'gpgkey=https://repos.mirantis.com/rocky/nokey' >> /etc/yum.repos.d/docker-ee.repo
dnf install -y containerd.io; echo $?
sed -i 's/nokey/gpg/' /etc/yum.repos.d/docker-ee.repo
