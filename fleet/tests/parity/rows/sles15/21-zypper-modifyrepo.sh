# from: hook
# user: root
zypper ar -f -n 'A name' http://archive.lab/sles15/base second; echo $?
zypper modifyrepo -d second; echo $?
zypper lr second | grep -v MD; zypper mr -e -p 50 -G -F second; echo $?
zypper lr -p; zypper mr -e nothing; echo $?
zypper mr second; echo $?
zypper rr second; echo $?
