# from: install-mcr: install
# user: root
zypper --non-interactive --quiet install --auto-agree-with-licenses -- containerd.io docker-ee; echo $?
rpm -q containerd.io docker-ee docker-ee-cli
