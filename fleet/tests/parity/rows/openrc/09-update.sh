# from: hook
# user: root
rc-update add own default; echo "status $?"
rc-update add own default; echo "status $?"
ls -l /etc/runlevels/default/own | sed 's/.* \//\//'
rc-update show default; echo "status $?"
rc-update del own default; echo "status $?"
rc-update del own default; echo "status $?"
rc-update add nosuch default; echo "status $?"
rc-update del nosuch default; echo "status $?"
rc-update add own nolevel; echo "status $?"
rc-update add own boot default; echo "status $?"
rc-update show boot default; echo "status $?"
rc-update delete own; echo "status $?"
rc-update -a del own 2>&1 | sort
rc-update show | grep own; echo "status $?"
