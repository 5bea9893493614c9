# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
ls -l /usr/bin/stat /usr/bin/install /usr/bin/cp /usr/bin/mv /usr/bin/rm | sed 's/ root root .* \(\/\)/ \1/'; readlink -f /usr/bin/stat /usr/bin/ls; readlink -f /usr/bin/cp; readlink -f "$(command -v mv)"; test -L /usr/bin/cat; echo $?; /usr/lib/cargo/bin/coreutils/cp --version | head -n 1; gnustat -c %s /nix; /usr/lib/cargo/bin/coreutils/stat -c %s /nix; /bin/stat /nix
