# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
mkdir /tmp/u; cd /tmp/u; printf 12345 >a; touch -d '2024-02-29 12:30:00' a; ln -s a l
stat a | sed -e '/Change:/d' -e '/Birth:/d' -e 's/Device: .*Links/Device: D Links/' -e '/Access: 20/d'
stat l | head -n 2 | sed 's/Blocks.*//'; rm -rf /tmp/u
