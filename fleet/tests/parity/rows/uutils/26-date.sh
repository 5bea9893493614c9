# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
date -u -d @0; date -u -d @1700000000 +%s; date -u -d @1700000000 +%Y-%m-%dT%H:%M:%SZ; date -u -d '2024-02-29 12:30:00' +%F_%T; date -d garbage; echo $?; date -u -d @1700000000 -Iseconds; date -u -d @1700000000 -R
date -u -d @1700000000 --rfc-3339=seconds; date nix; echo $?; date -u -d @0 '+%a %b %e %H:%M:%S'; date -s @0 >/dev/null; echo $?; date -u -d '@1700000000' +%N; date -u -d 2024-01-31 +%j; date +%s | grep -c '^[0-9]*$'; date -u -d '2024-01-01 +1 day' +%F; date -u -d 'yesterday' >/dev/null; echo $?; date -u -d @1.5 +%s.%N
