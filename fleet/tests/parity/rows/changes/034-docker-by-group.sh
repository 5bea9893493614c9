# from: hook
# user: lab
id -nG; docker ps -q | wc -l; echo "status $?"
