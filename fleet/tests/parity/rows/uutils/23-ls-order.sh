# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; touch b B a A _x .y 1 10 9 a-b ab; ls; ls -A; ls -l | wc -l; ls ab a-b B; rm -rf /tmp/u
