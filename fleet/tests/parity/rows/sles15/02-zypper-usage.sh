# from: hook
# user: lab
zypper nosuchcommand; echo $?
zypper install; echo $?
zypper --nosuchoption lr; echo $?
zypper --version >/dev/null; echo $?
