# from: uninstall-mcr: remove
# user: root
for name in docker-ee docker-ee-cli nothing; do rpm -q "$name" >/dev/null 2>&1; echo $?; done
dnf remove -y -q docker-ee docker-ee-cli; echo $?
rpm -q containerd.io docker-ee docker-ee-cli
dnf install -y -q docker-ee; dnf remove -y containerd.io; echo $?
