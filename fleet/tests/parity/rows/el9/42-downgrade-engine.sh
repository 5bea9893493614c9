# from: hook
# user: root
sed -i s/26.1/20.10/ /etc/yum.repos.d/docker-ee.repo
dnf install -y docker-ee; echo $?
dnf install -y docker-ee-20.10.24; echo $?
dnf downgrade -y docker-ee docker-ee-cli containerd.io; echo $?
rpm -q containerd.io docker-ee docker-ee-cli
