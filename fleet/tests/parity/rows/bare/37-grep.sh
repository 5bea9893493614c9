# from: hook
# user: lab
printf 'alpha\nBeta\ngamma delta\n\n#comment\n' > /tmp/g
grep a /tmp/g; grep -c a /tmp/g; grep -v '^#' /tmp/g; grep -i beta /tmp/g; grep -n delta /tmp/g
grep -E '^(al|ga)' /tmp/g; grep -F 'a d' /tmp/g; grep -o 'a[^a]' /tmp/g; grep -q beta /tmp/g; echo "status $?"
grep -l a /tmp/g /etc/hostname; grep -w gamma /tmp/g; grep -A1 Beta /tmp/g; grep -m1 a /tmp/g; grep -h a /tmp/g /tmp/g | wc -l
grep -x alpha /tmp/g; grep -e alpha -e Beta /tmp/g; grep -s x /nosuch; echo "status $?"; grep -r alpha /tmp/g; grep '[' /tmp/g; echo "status $?"
grep alpha /etc /tmp/g; echo "status $?"
rm /tmp/g
