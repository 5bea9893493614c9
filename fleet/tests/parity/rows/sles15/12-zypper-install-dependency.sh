# from: hook
# user: root
zypper -n install jq; echo $?
rpm -q jq oniguruma
zypper -n remove jq; echo $?
rpm -q jq oniguruma
zypper -n in jq >/dev/null; zypper -n remove --clean-deps jq; echo $?
rpm -q jq oniguruma
