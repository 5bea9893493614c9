# from: hook
# user: lab
t() { "$@" && echo yes || echo no; }
t test -e /etc/hosts
t test -f /etc
t test -d /etc
t test -L /bin
t test -x /bin/sh
t test -s /etc/environment
t test -w /etc/hosts
t test -r /etc/shadow
t test -S /run/dbus/system_bus_socket
t test 3 -gt 2
t test 03 -eq 3
t test a = b
t test a != b
t test -z ''
t test a
t test
t [ ! -e /nosuch ]
t [ 1 -lt 2 -a 2 -lt 3 ]
t [ 1 -gt 2 -o 2 -gt 1 ]
t [ a '<' b ]
t [ /etc/hosts -nt /nosuch ]
t [ 1 -eq x ]
t [ 1 = 1
