# from: hook
# user: lab
printf '3 c\n1 a\n2 b\n10 d\n' > /tmp/t
sort /tmp/t; sort -n /tmp/t; sort -rn -k1,1 /tmp/t; sort -k2 /tmp/t; sort -u /tmp/t | wc -l
cut -d' ' -f2 /tmp/t; cut -c1 /tmp/t; cut -d' ' -f1,2 --output-delimiter=: /tmp/t
tr a-z A-Z </tmp/t; tr -d 0-9 </tmp/t; echo aabbcc | tr -s a-c; echo 'a b' | tr -c a-z _; echo
head -n 2 /tmp/t; tail -n 1 /tmp/t; tail -n +3 /tmp/t; head -c 3 /tmp/t; echo
wc /tmp/t; wc -l </tmp/t; wc -c /tmp/t
uniq -c /tmp/t; nl /tmp/t; tac /tmp/t; rev /tmp/t
paste -sd, /tmp/t; join /tmp/t /tmp/t 2>/dev/null | head -n 1; comm -12 /tmp/t /tmp/t 2>/dev/null | wc -l
seq 3; seq 2 2 6; seq -s, 5; seq -w 8 10
expr 1 + 2; expr length hello; expr abc : 'a\(.*\)'; expr 5 '>' 3; expr 1 - 1; echo "status $?"
echo one two | xargs -n 1 echo item; printf 'a\0b\0' | xargs -0 -n 1; echo x | xargs -I{} echo '<{}>'; xargs </dev/null; printf 'a\n' | xargs false; echo "status $?"
fold -w 3 /tmp/t | head -n 2; diff /tmp/t /tmp/t && echo same; cmp /tmp/t /etc/hosts; echo "status $?"
rm /tmp/t
