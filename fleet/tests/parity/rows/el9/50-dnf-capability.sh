# from: hook
# user: root
dnf -y -q install 'libonig.so.5()(64bit)'; echo $?
dnf -y -q install /usr/bin/jq; echo $?
rpm -q jq oniguruma; dnf -y -q remove jq oniguruma; echo $?
