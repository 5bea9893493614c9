# from: hook
# user: root
zypper -n remove oniguruma; echo $?
rpm -q jq oniguruma
