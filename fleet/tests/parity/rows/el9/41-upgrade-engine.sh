# from: install-mcr: upgrade
# user: root
sed -i s/20.10/26.1/ /etc/yum.repos.d/docker-ee.repo
dnf makecache -q; dnf install -y docker-ee; echo $?
rpm -q containerd.io docker-ee docker-ee-cli
dnf -y -q upgrade containerd.io; echo $?
dnf -q info docker-ee | grep -v '^Size'
