# from: hook
# user: root
dnf install -y jq; echo $?
rpm -q jq oniguruma; dnf -q history userinstalled 2>/dev/null | grep -c '^jq'
dnf remove -y jq; echo $?
rpm -q jq oniguruma
