# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
env echo -n a; env echo -e 'b\tc'; env echo -E 'x\n'; env echo; env printf '%s %d\n' a 5; env printf '%5s|%-5s|\n' a b; env printf '%x %o %03d\n' 255 8 7; env printf; echo $?; env printf '%d\n' x; echo $?; env printf '%z'; echo $?; env printf 'a\x41\101\n'; env printf '%b\n' 'x\ty'; env printf '%s\n' a b; env printf '%.2f\n' 1.005; env printf '%d\n' 3x; echo $?
