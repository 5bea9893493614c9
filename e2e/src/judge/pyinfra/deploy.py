"""Changes hosts. Run again, it finds nothing to change but what always runs (`server.shell`)."""

import io

from pyinfra import host
from pyinfra.facts.server import Which
from pyinfra.operations import apt, dnf, files, server, systemd, zypper

UNIT = """[Unit]
Description=Judged

[Service]
ExecStart=/bin/sleep infinity

[Install]
WantedBy=multi-user.target
"""

files.put(
    name="put",
    src=io.StringIO("alpha\nbeta\n"),
    dest="/etc/judged/put.conf",
    user="root",
    group="root",
    mode="600",
    _sudo=True,
)
files.put(name="put as a user", src=io.StringIO("own\n"), dest="judged.txt", mode="640")
files.directory(name="directory", path="/srv/judged", user="root", mode="750", _sudo=True)
files.line(name="line", path="/srv/judged/lines", line="gamma", _sudo=True)
files.replace(name="replace", path="/srv/judged/lines", text="delta", replace="epsilon", _sudo=True)
files.link(name="link", path="/srv/judged/link", target="/etc/judged/put.conf", _sudo=True)
files.block(name="block", path="/srv/judged/lines", content="in a block", _sudo=True)
files.template(
    name="template", src=io.StringIO("host {{ host.name }}\n"), dest="/srv/judged/template", _sudo=True
)
server.group(name="group", group="judged", _sudo=True)
server.user(
    name="user", user="judge", home="/home/judge", shell="/bin/bash", groups=["judged"], _sudo=True
)
server.sysctl(name="sysctl", key="net.ipv4.ip_forward", value=1, persist=True, _sudo=True)
unit = files.put(
    name="unit", src=io.StringIO(UNIT), dest="/etc/systemd/system/judged.service", mode="644", _sudo=True
)
systemd.daemon_reload(name="reload", _sudo=True, _if=unit.did_change)
systemd.service(name="service", service="judged.service", running=True, enabled=True, _sudo=True)
packages = {"apt-get": apt.packages, "dnf": dnf.packages, "zypper": zypper.packages}
for program, operation in packages.items():
    if host.get_fact(Which, command=program):
        refresh = {"update": True, "cache_time": 3600} if program == "apt-get" else {}
        operation(name="packages", packages=["jq"], _sudo=True, **refresh)
server.shell(name="shell", commands=["id -un > /srv/judged/shell", "echo $0 >&2"], _sudo=True)
