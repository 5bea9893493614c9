# from: hook
# user: root
zypper -n install broken; echo $?
zypper -n install needs-broken; echo $?
zypper -n install frontend; echo $?
zypper -n install rival; echo $?
rpm -q rival frontend backend
