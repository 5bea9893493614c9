# from: hook
# user: lab
uname -srm
uname -a
hostname
hostname -f
hostname -s
hostname -I
nproc
getconf _NPROCESSORS_ONLN
arch
cat /proc/sys/kernel/hostname
cat /proc/sys/kernel/osrelease
