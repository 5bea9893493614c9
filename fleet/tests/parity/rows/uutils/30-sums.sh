# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; printf abc >a; printf abd >b; md5sum a; sha1sum a; sha256sum a b >s; cat s; sha512sum a | cut -c1-20; sha256sum -c s; echo $?; printf x >b; sha256sum -c s; echo $?; sha256sum --status -c s; echo $?; sha256sum --quiet -c s; echo $?; rm b; sha256sum -c s; echo $?
sha256sum nix; echo $?; sha256sum <a; sha256sum -b a; sha256sum --tag a; echo garbage >g; sha256sum -c g; echo $?; sha256sum -c nix; echo $?; sha256sum .; echo $?; printf '%s  -\n' "$(sha256sum <a | cut -d' ' -f1)" >c; sha256sum -c c <a; echo $?; cksum a; rm -rf /tmp/u
