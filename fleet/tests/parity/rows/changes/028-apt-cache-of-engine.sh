# from: hook
# user: root
apt-cache policy docker-ee; apt-cache madison docker-ee; apt-cache depends docker-ee docker-ee-cli containerd.io; apt-cache show docker-ee | grep -E '^(Package|Version|Depends|Conflicts|Architecture):'
apt-cache search docker-ee; apt-get install -s -q docker-ee | grep ^Inst; apt-get update | sed 's/ in .*//'
ls -l /usr/share/keyrings/mirantis-archive-keyring.gpg | awk '{ print $1, $3, $4, $5 }'; gpg --batch --show-keys --with-colons /usr/share/keyrings/mirantis-archive-keyring.gpg | grep -c ^pub
