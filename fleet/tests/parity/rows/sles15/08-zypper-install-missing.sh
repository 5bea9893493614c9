# from: hook
# user: root
zypper --non-interactive install nothing; echo $?
zypper --non-interactive install socat nothing; echo $?
zypper --non-interactive --quiet install nothing; echo $?
zypper --non-interactive remove nothing; echo $?
rpm -q socat
