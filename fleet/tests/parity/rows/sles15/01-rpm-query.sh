# from: hook
# user: lab
rpm -q bash curl; echo $?
rpm -q docker; echo $?
rpm -q --qf '%{NAME} %{VERSION}-%{RELEASE} %{EPOCH}\n' sles-release bash
rpm -qa | grep -v gpg-pubkey | sort
