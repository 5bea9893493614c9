"""Writes what pyinfra finds on each host into a file of `OUT`, one of JSON for each."""

import json
import os
from pathlib import Path

from pyinfra import host
from pyinfra.facts import apt, crontab, deb, dnf, files, hardware, rpm, selinux, server, systemd, zypper

HOME = host.get_fact(server.Home)
FACTS = {
    "arch": host.get_fact(server.Arch),
    "date": host.get_fact(server.Date),
    "distribution": host.get_fact(server.LinuxDistribution),
    "groups": host.get_fact(server.Groups),
    "home": HOME,
    "hostname": host.get_fact(server.Hostname),
    "kernel": host.get_fact(server.Kernel),
    "kernelVersion": host.get_fact(server.KernelVersion),
    "load": host.get_fact(server.LoadAverage),
    "locales": host.get_fact(server.Locales),
    "mounts": host.get_fact(server.Mounts),
    "osRelease": host.get_fact(server.OsRelease),
    "processes": host.get_fact(server.Processes),
    "rebootRequired": host.get_fact(server.RebootRequired),
    "selinux": host.get_fact(server.Selinux),
    "sysctl": host.get_fact(server.Sysctl),
    "timezone": host.get_fact(server.Timezone),
    "uptime": host.get_fact(server.Uptime),
    "user": host.get_fact(server.User),
    "users": host.get_fact(server.Users),
    "which": host.get_fact(server.Which, command="systemctl"),
    "whichMissing": host.get_fact(server.Which, command="no-such-program"),
    "blockDevices": host.get_fact(hardware.BlockDevices),
    "cpuInfo": host.get_fact(hardware.CpuInfo),
    "cpus": host.get_fact(hardware.Cpus),
    "memory": host.get_fact(hardware.Memory),
    "network": host.get_fact(hardware.NetworkDevices),
    "ipv4": host.get_fact(hardware.Ipv4Addrs),
    "file": host.get_fact(files.File, path="/etc/hostname"),
    "shadow": host.get_fact(files.File, path="/etc/shadow"),
    "directory": host.get_fact(files.Directory, path="/etc/ssh"),
    "link": host.get_fact(files.Link, path="/etc/localtime"),
    "missing": host.get_fact(files.File, path="/etc/missing"),
    "sum": host.get_fact(files.Sha256File, path="/etc/hostname"),
    "sum1": host.get_fact(files.Sha1File, path="/etc/hostname"),
    "lines": host.get_fact(files.FindInFile, path="/etc/passwd", pattern="^root:"),
    "found": host.get_fact(files.FindFiles, path="/etc/systemd"),
    "status": host.get_fact(systemd.SystemdStatus),
    "enabled": host.get_fact(systemd.SystemdEnabled),
    "debs": host.get_fact(deb.DebPackages),
    "deb": host.get_fact(deb.DebPackage, package="bash"),
    "aptSources": host.get_fact(apt.AptSources),
    "rpms": host.get_fact(rpm.RpmPackages),
    "rpm": host.get_fact(rpm.RpmPackage, package="bash"),
    "provider": host.get_fact(rpm.RpmPackageProvides, package="bash"),
    "dnf": host.get_fact(dnf.DnfRepositories),
    "zypper": host.get_fact(zypper.ZypperRepositories),
    "crontab": host.get_fact(crontab.Crontab),
}


def plain(value):
    """Sets become lists; what else JSON has no word for becomes text."""
    return sorted(value) if isinstance(value, (set, frozenset)) else str(value)


Path(os.environ["OUT"], host.name).write_text(json.dumps(FACTS, default=plain))
