# from: install-mcr: repository
# user: root
cat > /etc/zypp/repos.d/mirantis.repo <<'E'
[mirantis]
name=mirantis
enabled=1
autorefresh=1
baseurl=https://repos.mirantis.com/sles/$releasever_major/$basearch/stable-20.10
type=rpm-md
gpgcheck=1
gpgkey=https://repos.mirantis.com/sles/gpg
E
ZYPP_LOCK_TIMEOUT=300 zypper --non-interactive --quiet refresh; echo $?
zypper lr; echo $?
