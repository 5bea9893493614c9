# from: hook
# user: lab
. /etc/os-release
echo "$ID $VERSION_ID $VERSION_CODENAME"
grep -E '^(ID|VERSION_ID)=' /etc/os-release
awk -F= '/^PRETTY_NAME/ { gsub(/"/, "", $2); print $2 }' /etc/os-release
sed -n 's/^NAME="\(.*\)"$/\1/p' /etc/os-release
cut -d= -f1 /etc/os-release | sort | tr '\n' ' '
echo
cat /etc/os-release | wc -l
test "$(sed -n 's/^ID=//p' /etc/os-release)" = ubuntu && echo supported
