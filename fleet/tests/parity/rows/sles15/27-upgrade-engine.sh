# from: install-mcr: upgrade
# user: root
sed -i s/20.10/26.1/ /etc/zypp/repos.d/mirantis.repo
zypper --non-interactive --quiet refresh; zypper -n install docker-ee; echo $?
rpm -q containerd.io docker-ee docker-ee-cli
zypper -n install containerd.io; echo $?
