# from: hook
# user: lab
trap "echo term" TERM
echo before
kill -TERM $$
echo never
