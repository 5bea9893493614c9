# from: hook
# user: root
usermod -aG docker lab; id lab; getent group docker
