# from: hook
# user: lab
env | grep -i proxy; sudo -n env | grep -i proxy; echo "status $?"
