# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; echo a >a; ln -s a b; readlink b; ln -s a b; echo $?; ln -sf nix b; readlink b; ln a c; stat -c %h a; ln a c; echo $?
ln nix d; echo $?; mkdir dir; ln dir e; echo $?; ln -s a dir; ls dir; ln -sfn a b; readlink b; ln -s x nix/y; echo $?; ln; echo $?
ln -sT a dir; echo $?; ln -s a b nix; echo $?; ln -sv a v; rm -rf /tmp/u
