# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
uname; uname -s; uname -m; uname -n; uname -o; uname -sm; arch; nproc; hostname; uname -x; echo $?; uname -p -i; uname -r -s; nproc --all
