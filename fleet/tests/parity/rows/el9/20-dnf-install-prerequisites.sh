# from: prepare-host: yum install
# user: root
yum install -y curl socat iptables iputils gzip openssh; echo $?
yum install -y -q curl socat iptables iputils gzip openssh; echo $?
