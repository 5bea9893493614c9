# from: hook
# user: lab
cd "$(mktemp -d)" || exit
mkdir -p a/b/c && touch a/x a/b/y && printf 'hello\n' > a/b/c/z
chmod 640 a/x; chmod u+x,g-r a/b/y; chmod -R o= a/b; chmod +x a/x
ln -s b/y a/link; ln a/x a/hard; cp -a a copy; cp a/b/c/z z; mv z renamed
stat -c '%A %a %U:%G %F %n' a; stat -c '%A %a %U:%G %s %F %n' a/x a/b/y a/link renamed
stat -c '%h %N' a/x a/link; stat -L -c %F a/link
ls a; ls -1A a/b; ls -d a/*; ls -F a; ls -R copy
ls -l a | tail -n +2 | awk '{ print $1, $2, $3, $4, /^d/ ? "" : $5, $9, $10, $11 }'
find . -type f | sort; find a -name 'z*' -type f; find . -maxdepth 1 -mindepth 1 -type d | sort; find a -type l; find a -perm 640; find a -size 0 -type f | sort; find . -name z -exec cat {} \;; find a -name y -exec echo {} +; find a -empty -type f | sort; find a -newer /etc/hostname -type d | sort; find a -type f -print0 | sort -z | xargs -0 -n 1 basename; find copy -name x -delete; find copy -name x
readlink a/link; readlink -f a/link | sed 's|.*/a/|a/|'; readlink a/x; echo "status $?"; realpath a/../a/x | sed 's|.*/a/|a/|'
dirname /a/b/c; dirname c; dirname /; basename /a/b.txt .txt; basename /a/b/
rmdir a; echo "status $?"; rm a; echo "status $?"; rm -r a copy; ls -A; rm -rf nosuch; echo "status $?"; [ -e a ]; echo "status $?"
d=$PWD; cd /; rm -rf "$d"
