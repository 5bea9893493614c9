# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; echo one | tee a b; cat a b; echo two | tee -a a >/dev/null; cat a
echo x | tee nix/a; echo $?; echo x | tee .; echo $?; : >s; chmod 444 s; echo y | tee s; echo $?; rm -rf /tmp/u
