# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
head -n; echo $?; mkdir -m; echo $?; stat -c; echo $?; install -m; echo $?; sort -k; echo $?; cut -d; echo $?; date -d; echo $?; touch -d; echo $?; truncate -s; echo $?; mktemp -p; echo $?; base64 -w; echo $?; timeout -s; echo $?; env -u; echo $?; df -B; echo $?; tail --lines; echo $?
