# Prints what is on a host, one thing per line: a kind, a name, what it is, and for files when they were written.
set -u
tab=$(printf '\t')
roots=
for root in /etc /usr/local /usr/share/keyrings /opt /root /home /var/lib /var/spool /var/tmp /tmp; do
    [ -d "$root" ] && roots="$roots $root"
done
# The data of the engine is listed by the engine; here only that it exists.
walk() {
    # shellcheck disable=SC2086
    find $roots \( -path /var/lib/docker -o -path /var/lib/containerd -o -path /var/lib/kubelet \) \
        -prune "$@"
}
walk -printf 'file\t%p\t%y %m %u:%g %l\t%T@ %i\n' -o -printf 'file\t%p\t%y %m %u:%g %l\t%T@ %i\n'
walk -o -type f -print0 | xargs -0 -r sha256sum | sed "s/^\\([0-9a-f]*\\)  /hash$tab\\1$tab/"
if command -v dpkg-query >/dev/null; then
    dpkg-query -W -f "package\t\${Package}\t\${db:Status-Abbrev} \${Version}\n"
else
    rpm -qa --qf 'package\t%{NAME}\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\n'
fi
systemctl list-unit-files --no-legend --no-pager --plain |
    while read -r unit state _; do printf 'unit\t%s\t%s\n' "$unit" "$state"; done
systemctl list-units --all --no-legend --no-pager --plain --type=service,socket |
    while read -r unit _ active sub _; do printf 'active\t%s\t%s %s\n' "$unit" "$active" "$sub"; done
getent passwd | while IFS=: read -r name rest; do printf 'user\t%s\t%s\n' "$name" "$rest"; done
getent group | while IFS=: read -r name rest; do printf 'group\t%s\t%s\n' "$name" "$rest"; done
ip -o link show | while IFS=': ' read -r _ name _; do printf 'link\t%s\tpresent\n' "${name%%@*}"; done
for table in filter nat; do
    iptables -t "$table" -S 2>/dev/null | while read -r rule; do
        printf 'rule\t%s %s\tpresent\n' "$table" "$rule"
    done
done
if systemctl is-active --quiet docker.service; then
    printf 'engine\tprocess\t%s\n' "$(systemctl show docker.service --value -p MainPID)"
    printf 'engine\tswarm\t%s\n' "$(timeout 20 docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.NodeID}}')"
    timeout 20 docker ps -a --no-trunc --format 'container\t{{.ID}}\t{{.Names}} {{.Image}} {{.State}}'
    timeout 20 docker images --no-trunc --format 'image\t{{.Repository}}:{{.Tag}}\t{{.ID}}'
    timeout 20 docker volume ls --format 'volume\t{{.Name}}\t{{.Driver}}'
    timeout 20 docker network ls --format 'network\t{{.Name}}\t{{.Driver}} {{.Scope}}'
    if [ "$(timeout 20 docker info --format '{{.Swarm.ControlAvailable}}')" = true ]; then
        timeout 20 docker config ls --format 'config\t{{.Name}}\t{{.ID}}'
        timeout 20 docker service ls --format 'service\t{{.Name}}\t{{.Image}}'
        # shellcheck disable=SC2046
        timeout 20 docker node inspect $(timeout 20 docker node ls -q) \
            --format 'node{{"\t"}}{{.Description.Hostname}}{{"\t"}}{{.Spec.Role}} {{.Spec.Availability}} {{json .Spec.Labels}}'
    fi
fi
exit 0
