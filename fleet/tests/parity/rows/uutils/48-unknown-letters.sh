# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
for name in cat chmod cut df du env head id install ln ls mkdir mktemp readlink sha256sum sort stat tail tee timeout touch tr truncate uname wc base64 dd; do $name -@ x; echo "$name $?"; done 2>&1
