# from: hook
# user: lab
set -u
echo "${a:-default}"
echo "$nosuch"
echo never
