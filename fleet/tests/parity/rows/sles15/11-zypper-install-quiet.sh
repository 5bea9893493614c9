# from: prepare-host: install
# user: root
zypper --non-interactive --quiet install --auto-agree-with-licenses -- curl socat iputils; echo $?
