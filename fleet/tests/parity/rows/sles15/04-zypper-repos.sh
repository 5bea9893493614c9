# from: hook
# user: lab
zypper repos; echo $?
zypper lr -u; echo $?
zypper lr -d; echo $?
zypper -q lr; zypper lr SLES15-SP5 | grep -v MD; echo $?
zypper lr nothing; echo $?
zypper lr -E; echo $?
