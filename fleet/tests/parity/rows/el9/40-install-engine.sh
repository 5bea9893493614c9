# from: install-mcr: install
# user: root
dnf install -y -q containerd.io docker-ee; echo $?
rpm -q containerd.io docker-ee docker-ee-cli
rpm -q --qf '%{EPOCH}:%{VERSION}-%{RELEASE}\n' docker-ee
dnf -q list docker-ee containerd.io
