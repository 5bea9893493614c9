# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; printf 'content\n' | install -m 640 /dev/stdin f; echo $?; stat -c '%a %s' f; cat f
printf 'more\n' | install -m 640 /dev/stdin f; echo $?; cat f; install -m 600 /dev/null empty; stat -c '%a %s %F' empty
ln -s f l; install -m 644 f l; stat -c %F l; mkdir d; install -m 644 f d/; ls d; install -o nobody-at-all f g; echo $?; install -g nix f g; echo $?; ls; rm -rf /tmp/u
