# from: hook
# user: root
zypper -n -q --no-gpg-checks install jq; echo $?
zypper -n -q rm -u jq; echo $?
