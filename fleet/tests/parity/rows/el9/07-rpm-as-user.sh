# from: hook
# user: lab
rpm -e legacy; echo $?
rpm --import /etc/hosts; echo $?
