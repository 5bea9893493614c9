# from: hook
# user: root
rpm -i http://archive.lab/el9/base/iputils-20210202-10.el9.x86_64.rpm; echo $?
rpm -e iputils; rpm -U http://archive.lab/el9/base/tool-1.0-1.el9.noarch.rpm; echo $?
rpm -U http://archive.lab/el9/base/tool-1.1-1.el9.noarch.rpm; echo $?; rpm -q tool
rpm -i http://archive.lab/el9/base/jq-1.6-16.el9.x86_64.rpm; echo $?
rpm -e tool; rpm -i /no/such.rpm; echo $?
