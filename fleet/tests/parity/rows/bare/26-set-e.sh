# from: hook
# user: lab
set -e
echo before
false || echo caught
if false; then echo never; fi
! true
( false ) || echo subshell
x=$(false) || echo substitution
cat /nosuch
echo never
