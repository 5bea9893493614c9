# from: hook
# user: root
apt-get install -y -q jq; echo "status $?"
apt-get install -y -q curl; echo "status $?"
