# from: hook
# user: root
docker info --format '{{json .Labels}} {{.LoggingDriver}}'; docker run --rm mirantis/busybox:1 true; docker create --name logs mirantis/busybox:1 true >/dev/null; docker inspect logs --format '{{json .HostConfig.LogConfig}}'; docker rm logs
