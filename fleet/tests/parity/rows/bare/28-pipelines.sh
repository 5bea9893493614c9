# from: hook
# user: lab
false | true; echo "status $?"
true | false; echo "status $?"
! false; echo "status $?"
cat /nosuch | wc -l; echo "status $?"
echo b a c | tr ' ' '\n' | sort | head -n 2
printf 'a\nb\na\n' | sort | uniq -c | sort -rn
{ echo out; echo err >&2; } 2>&1 | cat
{ echo out; echo err >&2; } 2>/dev/null
( exit 7 ); echo "status $?"
yes | head -n 2
seq 1 100000 | head -n 1; echo "status $?"
