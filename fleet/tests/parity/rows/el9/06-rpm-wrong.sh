# from: hook
# user: lab
rpm -qz bash; echo $?
rpm --nosuch; echo $?
rpm -i; echo $?
rpm -e nothing; echo $?
rpm -e; echo $?
