# from: hook
# user: root
zypper -n -q install jq >/dev/null; rpm -e oniguruma; echo $?
rpm -e jq oniguruma; echo $?
rpm -q jq oniguruma
