# from: hook
# user: lab
name=world
cat <<EOF
hello $name $(echo sub) $((1 + 1))
\$name \\ "quoted"
EOF
cat <<'EOF'
hello $name $(echo sub)
EOF
cat <<-EOF
	indented
	EOF
while read -r a b; do echo "$b-$a"; done <<EOF
1 one
2 two three
EOF
while IFS=: read -r user _ uid rest; do [ "$uid" = 1000 ] && echo "$user $rest"; done </etc/passwd
read -r x </dev/null; echo "status $?"
