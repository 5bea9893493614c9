# from: hook
# user: lab
printf 'a=1\nb=2\n# c\nd=4\n' > /tmp/s
sed 's/=/: /' /tmp/s; sed -n '2p' /tmp/s; sed -n '/^b/,/^d/p' /tmp/s; sed '/^#/d' /tmp/s; sed -e 1d -e '$d' /tmp/s; sed '$!d' /tmp/s
sed -E 's/([a-z])=([0-9])/\2\1/g' /tmp/s; sed 's|a|/x/|; s/1/&&/' /tmp/s | head -n 1; sed '1i first' /tmp/s | head -n 1; sed '$a last' /tmp/s | tail -n 1; sed 2q /tmp/s; sed = /tmp/s | head -n 2
sed -i 's/^b=.*/b=22/' /tmp/s && cat /tmp/s; sed -i.bak '/^#/d' /tmp/s && ls /tmp/s /tmp/s.bak; sed -n '$=' /tmp/s; sed 's/x' /tmp/s; echo "status $?"
awk -F= '{ print $2, $1 }' /tmp/s; awk -F= '{ s += $2 } END { print s, NR }' /tmp/s; awk 'NR==2' /tmp/s; awk -v k=b -F= '$1 == k { print $2 }' /tmp/s
awk 'BEGIN { printf "%s %d %.1f\n", "x", 3.7, 2.25; print length("abc"), substr("hello", 2, 3), toupper("a"), index("abc", "c") }'
awk -F: '$3 >= 1000 && $3 < 60000 { print $1 }' /etc/passwd; awk '{ print $NF }' /etc/hosts | sort -u | head -n 2; awk 'BEGIN { n = split("a,b,c", p, ","); print n, p[3]; exit 3 }'; echo "status $?"
awk '/localhost/ { c[$1]++ } END { for (k in c) print k, c[k] }' /etc/hosts | sort
rm /tmp/s /tmp/s.bak
