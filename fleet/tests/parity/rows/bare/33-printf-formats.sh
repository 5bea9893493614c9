# from: hook
# user: lab
printf '%s\n' a b c
printf '%-10s|%5s|\n' left right
printf '%05d %x %X %o %c %%\n' 42 255 255 8 hello
printf '%.2f %e\n' 3.14159 1000
printf '%s %s\n' one
printf 'a\tb\\\n'
printf '%b\n' 'x\ty'
printf '%d\n' abc; echo "status $?"
printf '%d %d\n' 0x10 010
printf -- '--\n'
printf '%s'
printf '\101\n'
