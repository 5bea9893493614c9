# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
echo hello | tr a-z A-Z; echo a-b-c | tr -d -; echo aabbc | tr -s ab; echo 'a b' | tr ' ' '\n'; echo ab12 | tr -cd 0-9; echo
echo x | tr; echo $?; echo x | tr a; echo $?; echo x | tr -d; echo $?; echo Mixed | tr '[:upper:]' '[:lower:]'
