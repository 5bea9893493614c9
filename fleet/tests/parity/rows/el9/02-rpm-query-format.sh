# from: hook
# user: lab
rpm -q --qf '%{NAME} %{VERSION} %{RELEASE} %{ARCH} %{EPOCH} %|EPOCH?{has}:{none}|\n' bash rocky-release
rpm -q --queryformat '%{name}-%{version}\t%{nevra} %{evr} %{EPOCHNUM}\n' curl
rpm -qa --qf '[%{PROVIDENAME} ]\n' 'rocky*'
rpm -q --qf '%-12{NAME}|%12{VERSION}|\n' curl
rpm -q --qf '%{SUMMARY}\n%{LICENSE}\n%{VENDOR}\n%{URL}\n' sudo
rpm -q --qf '%{NOSUCH}\n' sudo; echo $?
