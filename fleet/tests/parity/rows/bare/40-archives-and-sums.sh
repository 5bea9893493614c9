# from: hook
# user: lab
cd "$(mktemp -d)" || exit
mkdir d; printf 'one\n' > d/1; printf 'two\n' > d/2
sha256sum d/1; sha256sum < d/1; md5sum d/1; sha1sum d/2; sha256sum d/1 d/2 > sums; sha256sum -c sums; printf 'x\n' > d/1; sha256sum -c sums; echo "status $?"
base64 d/2; base64 -d <<E
aGVsbG8K
E
printf 'hello world hello world' | base64 -w 8; echo '!' | base64 -d; echo "status $?"
tar cf t.tar d/1 d/2; tar tf t.tar; tar czf t.tgz -C d 1 2; tar tzf t.tgz; mkdir e; tar xzf t.tgz -C e; ls e; tar xf t.tar; tar tvf t.tar | awk '{ print $1, $2, $3, $6 }'; tar cf - d | tar tf - | sort
gzip -c d/2 | gzip -d; gzip d/2; ls d; gunzip d/2.gz; ls d; od -c d/2; xxd d/2; echo "status $?"; cksum d/2; printf abc | od -An -tx1
d=$PWD; cd /; rm -rf "$d"
