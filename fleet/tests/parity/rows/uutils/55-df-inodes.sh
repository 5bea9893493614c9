# from: hook
# of: coreutils (uutils) 0.8.0
# user: lab
df -Pi /tmp | awk '{print NF, $1, $NF}'; df -Pi /nix; echo $?; df -Pk /tmp | tail -n 1; df -P -B1 /tmp | tail -n 1 | awk '{print $4}'; df -Pkh /tmp | awk '{print $NF}'
