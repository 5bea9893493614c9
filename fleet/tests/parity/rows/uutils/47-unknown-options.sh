# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
for name in cat chmod chown cut dd df du env head id install ln ls mkdir mktemp nice nl od paste readlink realpath rmdir seq sha256sum sleep sort stat tail tee timeout touch tr truncate uname uniq wc base64 basename comm dirname nproc whoami; do $name --nix; echo "$name $?"; done 2>&1
