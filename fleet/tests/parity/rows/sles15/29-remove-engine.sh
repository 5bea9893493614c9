# from: uninstall-mcr: remove
# user: root
zypper --non-interactive --quiet remove --clean-deps -- docker-ee docker-ee-cli; echo $?
rpm -q containerd.io docker-ee docker-ee-cli
zypper -n remove containerd.io; echo $?
zypper -n in docker-ee >/dev/null; zypper -n rm containerd.io; echo $?
zypper clean -a; echo $?
rm /etc/zypp/repos.d/mirantis.repo
