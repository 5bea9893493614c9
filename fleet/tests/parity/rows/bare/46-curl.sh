# from: hook
# user: lab
curl -sI https://repos.mirantis.com/ubuntu/gpg | head -n 1
curl -fsS -o /dev/null -w '%{http_code} %{content_type}\n' https://repos.mirantis.com/ubuntu/gpg
curl -fsS https://repos.mirantis.com/nosuch; echo "status $?"
curl -s -o /dev/null -w '%{http_code}\n' https://repos.mirantis.com/nosuch; echo "status $?"
curl -sS http://127.0.0.1:1/; echo "status $?"
curl -sS https://nosuch.invalid/; echo "status $?"
curl -sS -m 2 http://10.77.1.200/; echo "status $?"
curl -sS -k https://private.lab/v2/; echo; echo "status $?"
curl -sS -u lab:wrong -o /dev/null -w '%{http_code}\n' https://private.lab/v2/
curl -sS https://registry-1.docker.io/v2/; echo; echo "status $?"
curl --nosuch; echo "status $?"
curl -sS file:///etc/hostname; curl -sS; echo "status $?"
wget -q https://repos.mirantis.com/; echo "status $?"
