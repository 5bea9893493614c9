# from: hook
# user: root
printf '[gone]\nname=Gone\nbaseurl=http://archive.lab/el9/nothing\n' > /etc/yum.repos.d/gone.repo
dnf makecache; echo $?
dnf -q install -y socat; echo $?
dnf -y --disablerepo=gone install socat; echo $?
dnf -y --disablerepo='*' install socat; echo $?
dnf -y --disablerepo=nothing list bash; echo $?
dnf -y --enablerepo=nothing list bash; echo $?
echo skip_if_unavailable=1 >> /etc/yum.repos.d/gone.repo
dnf makecache; echo $?
