# from: hook
# user: root
apt-get update; echo "status $?"
apt-get update -qq; echo "status $?"
ls /var/lib/apt/lists
apt-cache policy jq; apt-cache policy docker-ee; echo "status $?"
