# from: hook
# user: root
zypper ar -f http://archive.lab/sles15/nothing gone >/dev/null; zypper -n refresh; echo $?
zypper -n --quiet refresh; echo $?
zypper -n refresh gone; echo $?
zypper -n install oniguruma; echo $?
zypper rr gone >/dev/null
