# from: hook
# user: lab
nosuch --flag
