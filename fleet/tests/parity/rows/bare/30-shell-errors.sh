# from: hook
# user: lab
if true; then
echo "unfinished
