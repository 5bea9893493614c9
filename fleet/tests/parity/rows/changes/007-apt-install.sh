# from: hook
# user: root
export DEBIAN_FRONTEND=noninteractive
apt-get install -y -q jq; echo "status $?"
jq --version; echo '{"a":[1,2]}' | jq -c .a; echo '{"a":"x"}' | jq -r .a
dpkg-query -W -f '${db:Status-Status}\n' jq; dpkg -s jq | grep ^Status
apt-get install -y -qq jq >/dev/null; echo "status $?"
apt-get install -y -q nosuch; echo "status $?"
apt-get install -y -q jq=9.9; echo "status $?"
apt-mark hold jq; apt-mark showhold; apt-get remove -y -q jq; echo "status $?"; apt-mark unhold jq
apt-get remove -y -q jq; echo "status $?"; dpkg -s jq; echo "status $?"
apt-get autoremove -y -q; echo "status $?"
apt-get purge -y -q nosuch; echo "status $?"
