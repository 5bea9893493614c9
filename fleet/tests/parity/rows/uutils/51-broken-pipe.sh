# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
yes | head -n 1; seq 100000 | head -n 1; cat /dev/zero | head -c 1 | wc -c; (seq 200000; echo "s $?" >&2) | head -n 1; (cat /dev/zero; echo "s $?" >&2) | head -c 1 | wc -c
