"""Takes back what `deploy.py` has changed."""

from pyinfra import host
from pyinfra.facts.server import Which
from pyinfra.operations import apt, dnf, files, server, systemd, zypper

systemd.service(
    name="service", service="judged.service", running=False, enabled=False, _sudo=True
)
files.file(name="unit", path="/etc/systemd/system/judged.service", present=False, _sudo=True)
systemd.daemon_reload(name="reload", _sudo=True)
server.user(name="user", user="judge", present=False, _sudo=True)
server.group(name="group", group="judged", present=False, _sudo=True)
files.directory(name="directory", path="/srv/judged", present=False, _sudo=True)
packages = {"apt-get": apt.packages, "dnf": dnf.packages, "zypper": zypper.packages}
for program, operation in packages.items():
    if host.get_fact(Which, command=program):
        operation(name="packages", packages=["jq"], present=False, _sudo=True)
