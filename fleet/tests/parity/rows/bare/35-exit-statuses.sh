# from: hook
# user: lab
sh -c 'exit 300'; echo "$?"
sh -c 'kill -9 $$'; echo "$?"
sh -c 'kill -TERM $$'; echo "$?"
( exit 255 ); echo "$?"
nosuch 2>/dev/null; echo "$?"
/etc 2>/dev/null; echo "$?"
sh -c nosuch; echo "$?"
exec nosuch
