# from: hook
# user: root
rpm -e $(rpm -qa 'gpg-pubkey*')
zypper -n refresh -f mirantis; echo $?
zypper -n --gpg-auto-import-keys refresh -f mirantis; echo $?
rpm -qa 'gpg-pubkey*' | wc -l
