# from: prepare-hosts: remove the proxy drop-in
# user: root
rm -f -- /etc/systemd/system/docker.service.d/http-proxy.conf
