# from: hook
# user: root
zypper -n install -y curl socat; echo $?
rpm -q socat; ls -l /usr/bin/socat | cut -c1-10
zypper -n install socat; echo $?
zypper --non-interactive --quiet install socat; echo $?
zypper --non-interactive in -f socat; echo $?
