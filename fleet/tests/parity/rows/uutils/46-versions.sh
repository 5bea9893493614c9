# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
for name in arch base64 basename cat chgrp chmod chown cksum comm cut date dd df dirname du echo env expr false fold groups head id install join ln logname ls md5sum mkdir mktemp nice nl nohup nproc od paste printenv printf pwd readlink realpath rmdir seq sha1sum sha256sum sha512sum sleep sort stat stty sync tac tail tee test timeout touch tr true truncate tty uname uniq unlink users wc who whoami yes; do env $name --version | head -n 1; done
env [ --version | head -n 1; env test --version; echo $?; stat --version; date --version; cat -V; ls -V; echo $?
