# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; printf 12345 >b; : >a; mkdir d; ln -s b l; touch -d '2024-02-29 12:30:00' a b d; chmod 755 a; : >.h; : >d/x
ls; ls -a; ls -A; ls -1; ls -F; ls -p; ls -d .; ls d a; ls -l a b; ls -ld d | cut -d' ' -f1-4; ls -ln a; ls nix; echo $?; ls nix a; echo $?; ls -R; ls -r; ls -S; rm -rf /tmp/u
