# from: hook
# user: root
zypper -n -q install tool=1.0 >/dev/null; zypper -n dup; echo $?
rpm -q tool; zypper -n dup; echo $?
