# from: hook
# user: root
cat > /etc/parity.conf <<'EOF'
key = 1
# comment
other = 2
EOF
sed -i 's/^key *=.*/key = 3/' /etc/parity.conf; grep -q '^new' /etc/parity.conf || echo 'new = 4' >> /etc/parity.conf; cat /etc/parity.conf
printf '10.0.0.1 parity\n' | tee -a /etc/hosts; getent hosts parity; sed '/ parity$/d' /etc/hosts > /tmp/hosts && cat /tmp/hosts > /etc/hosts; getent hosts parity; echo "status $?"
sed -i s/x/y/ /etc/hosts; echo "status $?"
install -d -m 0750 -o lab -g lab /opt/parity; install -m 0644 /etc/parity.conf /opt/parity/conf; stat -c '%a %U:%G %n' /opt/parity /opt/parity/conf
mkdir -p /opt/parity/a; chown -R lab: /opt/parity; stat -c '%U:%G' /opt/parity/a /opt/parity/conf; chown nosuch /opt/parity; echo "status $?"
ln -sfn /opt/parity /opt/current; readlink /opt/current; ln -sfn /etc /opt/current; readlink /opt/current; cp /etc/parity.conf{,.bak}; echo "status $?"
umask 077; touch /opt/u; stat -c %a /opt/u; chmod 4755 /opt/u; stat -c '%a %A' /opt/u; chmod u=rw,go=r /opt/u; stat -c %a /opt/u
echo parity > /etc/motd; wc -c < /etc/motd; truncate -s 0 /etc/motd; stat -c %s /etc/motd
hostnamectl set-hostname parity; echo "status $?"; hostname; hostname m1; hostname; cat /etc/hostname
swapoff -a; echo "status $?"; modprobe br_netfilter; echo "status $?"; ls /etc/sysctl.d
date -s '2020-01-01' >/dev/null 2>&1; echo "status $?"
rm -rf /etc/parity.conf /opt/parity /opt/current /opt/u /tmp/hosts; ls -A /opt
