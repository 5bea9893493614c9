//! The four ways to reach a host.

use super::{Block, Kind, Standing, key, switch};

/// A port.
const PORT: Kind = Kind::Number(1, 65535);

/// `ssh`, and each `bastion`.
pub(crate) static SSH: Block = Block {
    name: "ssh",
    title: "Connection by SSH",
    about: "How a host, or a bastion, is reached by SSH.",
    keys: &[
        key(
            "address",
            Kind::Address,
            "host name, IP address or an alias of your ssh_config",
        )
        .required()
        .example("10.0.0.11"),
        key("user", Kind::User, "login user")
            .otherwise("that of ssh_config, else `root`")
            .example("ops"),
        key("port", PORT, "port of the SSH server")
            .otherwise("that of ssh_config, else 22")
            .example("22"),
        key(
            "keyPath",
            Kind::Path,
            "private key. No other key is offered then, neither usual ones nor the agent's; a key \
             file that is encrypted or public may be held by the agent. A certificate in \
             `<keyPath>-cert.pub` is offered, too",
        )
        .example("~/.ssh/id_ed25519"),
        key(
            "hostKey",
            Kind::Text,
            "the only host key that is accepted (`ssh-ed25519 AAAA…`); `known_hosts` is not looked at",
        )
        .example("ssh-ed25519 AAAA")
        .standing(Standing::Deprecated),
        key(
            "bastion",
            Kind::One(&SSH),
            "the host to go through, which may have a `bastion` of its own. It wins over \
             `ProxyJump` of ssh_config",
        )
        .example("{address: jump.example.net, user: ops}"),
    ],
    former: &[
        ("privateKey", "give the path of the file as `keyPath`"),
        ("privateKeyPath", "it is called `keyPath`"),
        ("identityFile", "it is called `keyPath`"),
        ("host", "it is called `address`"),
        ("hostname", "it is called `address`"),
        ("ip", "it is called `address`"),
        ("username", "it is called `user`"),
        ("proxyJump", "it is called `bastion`: `bastion: {address: …}`"),
        ("jumpHost", "it is called `bastion`: `bastion: {address: …}`"),
        (
            "password",
            "use a key: `keyPath`. A password is read from `LAUNCHPAD_SSH_PASSWORD` in the environment",
        ),
    ],
};

/// `openSSH`.
pub(crate) static OPEN_SSH: Block = Block {
    name: "openSSH",
    title: "Connection by the system's ssh",
    about: "How a host is reached by the system's own `ssh`.",
    keys: &[
        key(
            "address",
            Kind::Alias,
            "host name, IP address or an alias of your ssh_config",
        )
        .required()
        .example("worker-2"),
        key("user", Kind::User, "login user")
            .otherwise("that of `ssh`")
            .example("ops"),
        key("port", PORT, "port of the SSH server")
            .otherwise("that of `ssh`")
            .example("22"),
        key(
            "keyPath",
            Kind::Path,
            "private key; keys of the agent that ssh_config does not name are left alone \
             (`IdentitiesOnly`)",
        )
        .example("~/.ssh/id_ed25519"),
        key(
            "configPath",
            Kind::Path,
            "the ssh_config that is read, in place of `~/.ssh/config` and the machine's",
        )
        .example("~/.ssh/config"),
        key(
            "options",
            Kind::Options,
            "options of `ssh` by their names in `man ssh_config`; they win over ssh_config. `true` \
             and `false` are `yes` and `no`. Several values are a list",
        )
        .value("{}")
        .example("{StrictHostKeyChecking: true, ConnectTimeout: 10}"),
        switch(
            "disableMultiplexing",
            "each command gets a connection of its own",
        ),
    ],
    former: &[
        ("host", "it is called `address`"),
        ("hostname", "it is called `address`"),
        ("username", "it is called `user`"),
        (
            "bastion",
            "set `ProxyJump` in `options`, or in your ssh_config",
        ),
    ],
};

/// `winRM`.
pub(crate) static WIN_RM: Block = Block {
    name: "winRM",
    title: "Connection by Windows Remote Management",
    about: "How a host is reached by Windows Remote Management.",
    keys: &[
        key("address", Kind::Address, "host name or IP address")
            .required()
            .example("10.1.0.30"),
        key("user", Kind::LongText, "login user")
            .value("Administrator")
            .example("Administrator"),
        key("port", PORT, "port of the service")
            .otherwise("5985, 5986 with `useHTTPS`")
            .example("5986"),
        key("password", Kind::Secret, "password of the user").example("\"${WINRM_PASSWORD}\""),
        switch("useHTTPS", "use TLS"),
        switch("insecure", "do not check the certificate"),
        switch("useNTLM", "log in with NTLM, not with basic authentication"),
        key("caCertPath", Kind::File, "CA certificate for HTTPS").example("./winrm-ca.pem"),
        key(
            "certPath",
            Kind::File,
            "client certificate for HTTPS, in place of a password",
        )
        .example("./winrm-cert.pem"),
        key("keyPath", Kind::File, "key of the client certificate").example("./winrm-key.pem"),
        key(
            "tlsServerName",
            Kind::Address,
            "name that the certificate is checked for",
        )
        .example("win-1.example.net"),
        key("bastion", Kind::One(&SSH), "the host to go through")
            .example("{address: jump.example.net, user: ops}"),
    ],
    former: &[
        ("host", "it is called `address`"),
        ("username", "it is called `user`"),
        ("https", "it is called `useHTTPS`"),
        ("ssl", "it is called `useHTTPS`"),
        ("ntlm", "it is called `useNTLM`"),
    ],
};

/// `localhost`.
pub(crate) static LOCALHOST: Block = Block {
    name: "localhost",
    title: "The machine that runs launchpad",
    about: "The machine that runs launchpad is the host.",
    keys: &[key(
        "enabled",
        Kind::Switch,
        "the machine that runs launchpad is the host. `false` does not count as a connection",
    )
    .value("true")
    .example("true")],
    former: &[],
};
