# from: hook
# user: root
zypper --non-interactive refresh; echo $?
zypper --non-interactive --quiet refresh; echo $?
zypper refresh; echo $?
zypper refresh SLES15-SP5; echo $?
zypper refresh nothing; echo $?
zypper refresh -f; echo $?
