"""The hosts of the fleet; `SIM` is its directory."""

import os

_sim = os.environ["SIM"]
_ssh = {
    "ssh_config_file": f"{_sim}/ssh_config",
    "ssh_known_hosts_file": f"{_sim}/known_hosts",
}
hosts = [(name, _ssh) for name in os.environ["HOSTS"].split(",")]
