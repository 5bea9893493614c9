# from: hook
# user: lab
cd /nosuch
echo still here
pwd
