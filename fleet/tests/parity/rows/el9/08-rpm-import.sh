# from: hook
# user: root
rpm -q gpg-pubkey; echo $?
rpm --import /no/such/key; echo $?
echo nonsense > /tmp/nonsense; rpm --import /tmp/nonsense; echo $?
curl -fsS http://archive.lab/el9/gpg -o /tmp/key && rpm --import /tmp/key; echo $?
rpm -q gpg-pubkey >/dev/null; echo $?
rpm -qa 'gpg-pubkey*' | wc -l
rpm --import http://archive.lab/el9/gpg; echo $?
rpm -qa 'gpg-pubkey*' | wc -l
rpm -e $(rpm -qa 'gpg-pubkey*'); echo $?
rpm -qa 'gpg-pubkey*' | wc -l
rm /tmp/nonsense /tmp/key
