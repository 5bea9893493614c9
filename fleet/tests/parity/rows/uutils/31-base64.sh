# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
printf 'hello world' | base64; printf 'aGVsbG8=' | base64 -d; echo; printf 'not!base64' | base64 -d; echo " $?"; head -c 100 /dev/zero | base64; head -c 100 /dev/zero | base64 -w 0; echo; base64 /nix; echo $?; printf aGVs | base64 --decode; echo; printf 'aGVsbG8' | base64 -d; echo " $?"; base64 -w x </dev/null; echo $?
