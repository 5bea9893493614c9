//! `spec.hosts[]`, and the hooks of a host.

use super::connection::{LOCALHOST, OPEN_SSH, SSH, WIN_RM};
use super::{Block, Kind, Standing, key, switch};

/// A host.
pub(crate) static HOST: Block = Block {
    name: "host",
    title: "Host",
    about: "A machine of the cluster: its role, exactly one connection block, and its settings.",
    keys: &[
        key(
            "role",
            Kind::Word(&["manager", "worker", "msr"]),
            "what the host is for. `msr`: **not yet**",
        )
        .required()
        .example("manager"),
        key(
            "ssh",
            Kind::One(&SSH),
            "the host is reached by SSH. A host has exactly one of the four connection blocks",
        )
        .example("{address: 10.0.0.11, user: ops}"),
        key(
            "openSSH",
            Kind::One(&OPEN_SSH),
            "the host is reached by the system's own `ssh`",
        )
        .example("{address: worker-2}"),
        key(
            "winRM",
            Kind::One(&WIN_RM),
            "the host is reached by Windows Remote Management",
        )
        .example("{address: 10.0.0.30}")
        .standing(Standing::NotYet),
        key(
            "localhost",
            Kind::One(&LOCALHOST),
            "the host is the machine that runs launchpad",
        )
        .example("{enabled: true}"),
        key(
            "privateInterface",
            Kind::LongText,
            "the interface whose address the nodes use among themselves. Without it: that of the \
             first route to a private network, else that of the default route",
        )
        .otherwise("found")
        .example("ens5"),
        key(
            "swarmAddress",
            Kind::Address,
            "the address by which other nodes reach this one; without a port",
        )
        .otherwise("the internal address")
        .example("10.1.0.11"),
        key(
            "mcrConfig",
            Kind::Free,
            "settings of the engine, as in `daemon.json`. See [below](#mcrconfig)",
        )
        .value("{}")
        .example("{debug: true, log-opts: {max-size: 10m}}"),
        key(
            "environment",
            Kind::Variables,
            "variables for `/etc/environment`. Those that end in `_PROXY` or `_proxy` also go to a \
             drop-in of the engine's unit. Names must be names of variables, values one line",
        )
        .value("{}")
        .example("{HTTPS_PROXY: \"http://proxy.example.net:3128\"}"),
        key(
            "hooks",
            Kind::One(&HOOKS),
            "commands of yours around an operation. See [below](#hooks)",
        )
        .example("{apply: {before: [uptime]}}"),
        key(
            "imageDir",
            Kind::Path,
            "directory of image archives to load",
        )
        .example("./images")
        .standing(Standing::NotYet),
        switch(
            "sudodocker",
            "run hooks that begin with `docker` through sudo. Everything that launchpad itself asks \
             of the engine runs with the needed rights anyway",
        ),
        switch(
            "sudooverride",
            "take `sudo -n` without trying whether it works",
        ),
        switch(
            "mcrupgradeskip",
            "leave the host out of upgrades of the engine. This version upgrades no engine",
        ),
    ],
    former: &[
        (
            "address",
            "put it into a connection block: `ssh: {address: …}`",
        ),
        ("user", "put it into the connection block: `ssh: {user: …}`"),
        (
            "sshPort",
            "put it into the connection block: `ssh: {port: …}`",
        ),
        (
            "sshKeyPath",
            "put it into the connection block: `ssh: {keyPath: …}`",
        ),
        ("engineConfig", "it is called `mcrConfig` now"),
        ("name", "a host is named by its address: remove it"),
        (
            "roles",
            "a host has one role: write `role: manager` or `role: worker`",
        ),
        (
            "type",
            "it is called `role`, and is `manager`, `worker` or `msr`",
        ),
        (
            "labels",
            "remove it: set labels of nodes with `docker node update` or `kubectl label`",
        ),
        (
            "taints",
            "remove it: set taints of nodes with `kubectl taint`",
        ),
    ],
};

/// The hooks of a host.
pub(crate) static HOOKS: Block = Block {
    name: "hooks",
    title: "Hooks",
    about: "Commands of yours around an operation.",
    keys: &[
        key("apply", Kind::One(&HOOK_PAIR), "commands around `apply`")
            .example("{before: [uptime]}"),
        key("reset", Kind::One(&HOOK_PAIR), "commands around `reset`")
            .example("{after: [df -h /var]}"),
    ],
    former: &[
        ("before", "say of what: `apply: {before: [...]}`"),
        ("after", "say of what: `apply: {after: [...]}`"),
    ],
};

/// The hooks of an operation.
pub(crate) static HOOK_PAIR: Block = Block {
    name: "hookPair",
    title: "Hooks of an operation",
    about: "Commands before and after an operation.",
    keys: &[
        key(
            "before",
            Kind::Texts,
            "commands to run before it, one after the other",
        )
        .example("[uptime]"),
        key(
            "after",
            Kind::Texts,
            "commands to run after it, one after the other",
        )
        .example("[docker ps --quiet]"),
    ],
    former: &[],
};
