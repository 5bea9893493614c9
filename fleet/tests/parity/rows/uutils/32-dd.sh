# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; printf 0123456789 >a; dd if=a of=b bs=4 2>e; sed 's/copied.*/copied/' e; cat b; echo; dd if=/dev/zero of=z bs=1K count=2 2>e; sed 's/copied.*/copied/' e; dd if=nix; echo $?; dd of=nix/x </dev/null; echo $?; dd if=a status=none | wc -c; dd bs=x </dev/null; echo $?
dd nix=1 </dev/null; echo $?; printf abcdef | dd bs=2 count=1 2>e; echo; sed 's/copied.*/copied/' e; dd if=/dev/zero of=y bs=1M count=1 2>e; sed 's/copied.*/copied/' e; rm -rf /tmp/u
