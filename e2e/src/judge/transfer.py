"""Puts a file and fetches it again with the ssh plugin of Ansible: METHOD HOST CONFIG FILE THERE BACK."""

import sys

from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader, init_plugin_loader

method, host, config, sent, there, back = sys.argv[1:]
init_plugin_loader()
connection = connection_loader.get("ssh", PlayContext(), "/dev/null")
connection.set_options(
    direct={
        "host": host,
        "ssh_common_args": f"-F '{config}'",
        "ssh_transfer_method": method,
        "control_path_dir": f"{back}.control",
    }
)
connection.put_file(sent, there)
connection.fetch_file(there, back)
connection.close()
