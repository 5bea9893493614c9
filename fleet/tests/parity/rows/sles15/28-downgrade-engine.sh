# from: hook
# user: root
sed -i s/26.1/20.10/ /etc/zypp/repos.d/mirantis.repo
zypper --non-interactive install docker-ee; echo $?
zypper --non-interactive install --oldpackage docker-ee=20.10.24; echo $?
rpm -q containerd.io docker-ee docker-ee-cli
