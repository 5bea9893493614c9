# from: hook
# user: root
mkdir -p /etc/dnf/vars; echo el9 > /etc/dnf/vars/place
printf '[vars]\nname=Vars $place $releasever $basearch $arch\nbaseurl=http://archive.lab/$place/base\ngpgcheck=0\n' > /etc/yum.repos.d/vars.repo
dnf -q repolist; dnf -q --disablerepo=baseos list socat; dnf -q --setopt=vars.enabled=0 repolist; dnf -q --releasever=8 repolist
rm /etc/yum.repos.d/vars.repo /etc/dnf/vars/place
