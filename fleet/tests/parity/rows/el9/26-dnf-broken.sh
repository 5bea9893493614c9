# from: hook
# user: root
dnf -y install broken; echo $?
dnf -y install needs-broken; echo $?
dnf -y install frontend; echo $?
rpm -q frontend backend
dnf -y upgrade; echo $?
dnf -y upgrade backend; echo $?
dnf -y --nobest upgrade backend; echo $?
dnf -y install backend-2.0; echo $?
dnf -y remove backend; echo $?
