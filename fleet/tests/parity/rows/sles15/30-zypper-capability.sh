# from: hook
# user: root
zypper -n -q install 'libonig.so.5()(64bit)'; echo $?
zypper -n -q install /usr/bin/jq; echo $?
rpm -q jq oniguruma
