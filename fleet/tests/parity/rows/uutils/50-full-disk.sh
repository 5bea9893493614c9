# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
cat /etc/passwd >/dev/full; echo $?; head -n 1 /etc/passwd >/dev/full; echo $?; ls / >/dev/full; echo $?; env echo x >/dev/full; echo $?; env printf x >/dev/full; echo $?; tee /dev/full </etc/hostname >/dev/null; echo $?; seq 3 >/dev/full; echo $?; sort /etc/hostname >/dev/full; echo $?; wc -l /etc/hostname >/dev/full; echo $?; date >/dev/full; echo $?; dd if=/etc/hostname of=/dev/full status=none; echo $?; id >/dev/full; echo $?
