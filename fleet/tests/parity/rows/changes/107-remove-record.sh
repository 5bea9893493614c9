# from: clean-up: remove the record
# user: root
rm -f -- /var/lib/launchpad/owned.json
