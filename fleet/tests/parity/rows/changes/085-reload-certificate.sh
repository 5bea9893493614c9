# from: install-mke-certificates: let MKE read its certificate again
# user: root
exec docker restart ucp-controller >/dev/null
