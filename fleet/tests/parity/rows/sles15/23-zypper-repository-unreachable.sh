# from: hook
# user: root
zypper ar -f http://refused.lab/x gone >/dev/null; zypper -n refresh; echo $?
zypper rr gone >/dev/null; zypper ar -f http://nowhere.invalid/x gone >/dev/null; zypper -n refresh gone; echo $?
zypper -n --no-refresh install oniguruma; echo $?
zypper rr gone >/dev/null; zypper ar -f http://busy.lab/x gone >/dev/null; zypper -n refresh gone; echo $?
zypper rr gone >/dev/null
