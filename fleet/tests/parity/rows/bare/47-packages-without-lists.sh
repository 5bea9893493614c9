# from: hook
# user: root
dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n' curl bash
dpkg-query -W docker-ee; echo "status $?"
dpkg -s curl | grep -E '^(Package|Status|Version)'
dpkg -s docker-ee; echo "status $?"
dpkg -l curl | tail -n 1
dpkg -l 'docker*'; echo "status $?"
dpkg -L hostname | head -n 3; dpkg -S /usr/bin/curl; dpkg -S /nosuch; echo "status $?"
dpkg --print-architecture; dpkg --compare-versions 20.10.24 lt 26.1 && echo older; dpkg --audit; echo "status $?"
apt-cache policy docker-ee; echo "status $?"
apt-cache policy curl
apt-cache show docker-ee; echo "status $?"
apt-cache madison docker-ee; echo "status $?"
apt-get install -y -q nosuch; echo "status $?"
apt-mark showhold; apt list --installed 2>/dev/null | grep -c installed,local
