# from: install-mcr: addrepo
# user: root
zypper addrepo --refresh 'https://repos.mirantis.com/sles/$releasever_major/$basearch/stable-20.10' mirantis; echo $?
cat /etc/zypp/repos.d/mirantis.repo
zypper addrepo http://archive.lab/sles15/base mirantis; echo $?
zypper lr -u; echo $?
zypper -n refresh; echo $?
zypper removerepo nothing; echo $?
zypper removerepo mirantis; echo $?
zypper -q lr
