# from: hook
# user: root
zypper search socat; echo $?
zypper -q search socat; echo $?
zypper search nothing; echo $?
zypper search --type=package --installed-only docker; echo $?
zypper se -i bash; echo $?
zypper se -s tool; echo $?
zypper se --match-exact tool; echo $?
zypper se --provides /bin/sh; echo $?
