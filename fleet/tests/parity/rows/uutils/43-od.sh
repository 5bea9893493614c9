# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
printf 'ab\n' | od; printf 'ab\n' | od -c; printf 'ab\n' | od -An -tx1; od /nix; echo $?; head -c 40 /dev/zero | od -An -v -tu1; printf abcdefgh | od -An -tx4 | tr -d ' '; od -An -N2 -tx1 </etc/passwd
