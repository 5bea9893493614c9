# from: hook
# user: root
dnf config-manager --set-disabled mirantis; echo $?; dnf -q repolist
dnf config-manager --set-enabled mirantis; echo $?; dnf -q repolist
dnf config-manager --set-enabled nothing; echo $?
dnf config-manager --add-repo http://archive.lab/el9/base; echo $?
ls /etc/yum.repos.d; cat /etc/yum.repos.d/archive.lab_el9_base.repo; rm /etc/yum.repos.d/archive.lab_el9_base.repo
dnf config-manager --save --setopt=mirantis.priority=5; echo $?; cat /etc/yum.repos.d/docker-ee.repo; rm /etc/yum.repos.d/docker-ee.repo
