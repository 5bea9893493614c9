# from: gather-facts: rights of the login user
# user: root

if [ "$(id -u)" = 0 ]; then echo root
elif [ "$(sudo -n -- id -u 2>/dev/null)" = 0 ]; then echo sudo
elif [ "$(doas -n id -u 2>/dev/null)" = 0 ]; then echo doas
else echo none
fi
