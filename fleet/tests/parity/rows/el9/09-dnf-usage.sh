# from: hook
# user: lab
dnf nosuchcommand; echo $?
dnf install; echo $?
dnf --nosuchoption install x; echo $?
