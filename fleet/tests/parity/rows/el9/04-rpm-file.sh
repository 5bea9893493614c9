# from: hook
# user: lab
rpm -qf /etc/hosts; echo $?
rpm -qf /no/such/file; echo $?
rpm -qc bash; rpm -qd bash; echo $?
rpm -V bash; echo $?
rpm -V nothing; echo $?
