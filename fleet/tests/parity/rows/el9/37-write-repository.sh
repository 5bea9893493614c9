# from: install-mcr: repository
# user: root
cat > /etc/yum.repos.d/docker-ee.repo <<'E'
[mirantis]
name=Mirantis Container Runtime
baseurl=https://repos.mirantis.com/rocky/$releasever/$basearch/stable-20.10
enabled=1
gpgcheck=1
gpgkey=https://repos.mirantis.com/rocky/gpg
E
tool=$(command -v dnf || command -v yum); "$tool" makecache -q; echo $?
dnf -q repolist
