# from: hook
# user: lab
rpm -q bash curl; echo $?
rpm -q nothing; echo $?
rpm -q bash nothing legacy; echo $?
rpm -qa | sort
rpm -qa 'open*' ; rpm -q --quiet bash; echo $?; rpm -q --quiet nothing; echo $?
rpm -q
echo $?
