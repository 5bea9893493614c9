# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
expr 1 + 2; expr 5 - 7; echo $?; expr 3 '*' 4; expr 7 / 0; echo $?; expr abc : 'a\(.\)'; expr length abc; expr a = b; echo $?; expr; echo $?; expr 1 +; echo $?; expr x + 1; echo $?; expr substr abcdef 2 3; expr index abc c; expr 1 '<' 2; expr 0; echo $?; expr abc : b; echo $?; expr 7 % 4
