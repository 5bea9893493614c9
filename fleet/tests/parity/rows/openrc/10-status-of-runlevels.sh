# from: hook
# user: root
rc-status; echo "status $?"
rc-status boot; echo "status $?"
rc-status nolevel; echo "status $?"
rc-status --runlevel; echo "status $?"
rc-status --list | sort; echo "status $?"
rc-status --manual; echo "status $?"
rc-status --crashed; echo "status $?"
