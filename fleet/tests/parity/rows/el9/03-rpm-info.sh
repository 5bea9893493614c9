# from: hook
# user: lab
rpm -qi sudo | grep -v '^Install Date\|^Size\|^Signature'
rpm -ql legacy; rpm -ql nothing; echo $?
rpm -q --requires coreutils; rpm -q --provides rocky-release; rpm -q --whatprovides /bin/sh; rpm -q --whatrequires glibc; rpm -q --whatprovides nothing; echo $?
rpm -q --conflicts bash; rpm -q --obsoletes bash; echo $?
