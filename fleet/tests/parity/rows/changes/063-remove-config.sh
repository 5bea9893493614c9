# from: install-mke: docker config rm
# user: root
docker config rm com.docker.ucp.config
