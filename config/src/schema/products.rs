//! `spec.mcr`, `spec.mke` and `spec.msr`.

use super::{Block, Key, Kind, Standing, key, switch};

const fn without_effect(name: &'static str, kind: Kind, about: &'static str) -> Key {
    key(name, kind, about).standing(Standing::NoEffect)
}

/// `spec.mcr`.
pub(crate) static MCR: Block = Block {
    name: "mcr",
    title: "Mirantis Container Runtime",
    about: "The container runtime of all hosts.",
    keys: &[
        key(
            "channel",
            Kind::Channel,
            "channel of the package repository (`stable`, `stable-25.0`); it decides the version",
        )
        .required()
        .example("stable-25.0"),
        key("repoURL", Kind::Url, "root of the package repository")
            .value("https://repos.mirantis.com")
            .example("https://packages.example.net"),
        key(
            "installURLWindows",
            Kind::Text,
            "installer for Windows hosts: a URL, or a file",
        )
        .value("https://get.mirantis.com/install.ps1")
        .example("./install.ps1")
        .standing(Standing::NotYet),
        key(
            "license",
            Kind::Secret,
            "license of the engine, the text itself",
        )
        .example("\"${MCR_LICENSE}\"")
        .standing(Standing::NotYet),
        switch(
            "prune",
            "`reset` also removes the engine's data and `daemon.json`",
        ),
        key(
            "swarmInstallFlags",
            Kind::Flags,
            "added to `docker swarm init`; read only when the swarm is made",
        )
        .example("[--default-addr-pool=172.30.0.0/16]"),
        key(
            "swarmUpdateCommands",
            Kind::Texts,
            "commands that follow `docker` on the leader, right after the swarm was made",
        )
        .example("[swarm update --cert-expiry 720h]"),
        without_effect(
            "additionalRuntimes",
            Kind::Text,
            "nothing reads it; runtimes belong into `mcrConfig` of a host",
        )
        .example("nvidia"),
        without_effect(
            "defaultRuntime",
            Kind::Text,
            "nothing reads it; runtimes belong into `mcrConfig` of a host",
        )
        .example("runc"),
        without_effect(
            "installScriptRemoteDirLinux",
            Kind::Text,
            "nothing reads it; packages come from `repoURL`",
        )
        .example("/tmp"),
        without_effect("forceUpgrade", Kind::Switch, "nothing reads it").example("true"),
    ],
    former: &[
        (
            "version",
            "the version is part of `channel` now, as in `stable-25.0.9`",
        ),
        ("installURLLinux", "remove it: packages come from `repoURL`"),
        ("installURL", "remove it: packages come from `repoURL`"),
        (
            "metrics",
            "remove it: settings of the engine belong into `mcrConfig` of a host",
        ),
        (
            "config",
            "settings of the engine belong into `mcrConfig` of a host",
        ),
        (
            "daemonConfig",
            "settings of the engine belong into `mcrConfig` of a host",
        ),
    ],
};

const IMAGE_REPO: &str = "docker.io/mirantis";
const CA: &str = "certificate of the CA";
const CERT: &str = "certificate of the server";
const KEY: &str = "private key of the server";

/// `spec.mke`.
pub(crate) static MKE: Block = Block {
    name: "mke",
    title: "Mirantis Kubernetes Engine",
    about: "Mirantis Kubernetes Engine.",
    keys: &[
        key(
            "version",
            Kind::Version,
            "version of MKE. An installed version that differs is an error: this version does not \
             upgrade MKE",
        )
        .required()
        .example("3.8.8"),
        key(
            "imageRepo",
            Kind::Text,
            "where images come from. From another repository they are pulled to every host and named \
             as MKE knows them",
        )
        .value(IMAGE_REPO)
        .example("registry.example.net/mirantis"),
        key(
            "adminUsername",
            Kind::Secret,
            "the administrator. You can also give it as `--admin-username` in `installFlags` or \
             `upgradeFlags`; two different values are an error",
        )
        .example("admin"),
        key(
            "adminPassword",
            Kind::Secret,
            "the administrator's password, or `--admin-password` in `installFlags` or \
             `upgradeFlags`. Set it: the installer makes up a password of its own otherwise, and \
             prints it",
        )
        .example("\"${MKE_ADMIN_PASSWORD}\""),
        key(
            "installFlags",
            Kind::Flags,
            "flags of the installer. Also read: `--san`, `--controller-port`, `--pod-cidr`, \
             `--swarm-only`. Without `--san`, the addresses of all managers are used, with a warning",
        )
        .example("[--san=mke.example.net, --controller-port=8443]"),
        key("upgradeFlags", Kind::Flags, "flags of the upgrade")
            .example("[--manual-worker-upgrade]")
            .standing(Standing::NotYet),
        key(
            "configFile",
            Kind::File,
            "file of the TOML that the installer reads",
        )
        .example("./mke.toml"),
        key(
            "configData",
            Kind::Secret,
            "the same as a text; the file wins",
        )
        .example("\"[scheduling_configuration]\""),
        key(
            "licenseFilePath",
            Kind::File,
            "license of MKE; see [security.md](security.md#the-license-of-mke)",
        )
        .example("./mke.lic"),
        key(
            "caCertPath",
            Kind::File,
            "your server certificate for MKE: file of the certificate of its CA. All three parts, \
             or none",
        )
        .example("./ca.pem"),
        key("certPath", Kind::File, CERT).example("./cert.pem"),
        key("keyPath", Kind::File, KEY).example("./key.pem"),
        key("caCertData", Kind::Secret, CA).example("\"${MKE_CA}\""),
        key("certData", Kind::Secret, CERT).example("\"${MKE_CERT}\""),
        key("keyData", Kind::Secret, KEY).example("\"${MKE_KEY}\""),
        key("cloud", Kind::One(&CLOUD), "the cloud that the cluster runs in")
            .example("{provider: azure}")
            .standing(Standing::NotYet),
        key(
            "nodesHealthRetry",
            Kind::Number(0, u32::MAX),
            "above 0: after a change, wait until MKE itself calls every node ready. The number sets \
             how long: 30 seconds for 1 and 2, then about twice as long for each step, up to 10. \
             Needs `adminUsername` and `adminPassword`",
        )
        .value("0")
        .example("3"),
    ],
    former: &[
        ("licenseFile", "it is called `licenseFilePath`"),
        (
            "license",
            "give the path of the file as `licenseFilePath`",
        ),
        ("username", "it is called `adminUsername`"),
        ("password", "it is called `adminPassword`"),
        ("san", "it is a flag: `installFlags: [--san=…]`"),
        ("sans", "it is a flag: `installFlags: [--san=…]`"),
        ("podCIDR", "it is a flag: `installFlags: [--pod-cidr=…]`"),
        (
            "serviceCIDR",
            "it is a flag: `installFlags: [--service-cluster-ip-range=…]`",
        ),
        (
            "controllerPort",
            "it is a flag: `installFlags: [--controller-port=…]`",
        ),
        ("config", "it is called `configData`, or `configFile`"),
    ],
};

/// `spec.mke.cloud`.
pub(crate) static CLOUD: Block = Block {
    name: "cloud",
    title: "Cloud provider",
    about: "The cloud that the cluster runs in.",
    keys: &[
        key("provider", Kind::Text, "name of the cloud")
            .required()
            .example("azure"),
        key(
            "configFile",
            Kind::File,
            "file of the provider's configuration, for `azure` and `openstack`",
        )
        .example("./azure.json"),
        key(
            "configData",
            Kind::Secret,
            "the same as a text; the file wins",
        )
        .example("\"{}\""),
    ],
    former: &[("name", "it is called `provider`")],
};

/// `spec.msr`.
pub(crate) static MSR: Block = Block {
    name: "msr",
    title: "Mirantis Secure Registry",
    about: "Mirantis Secure Registry 2.",
    keys: &[
        key("version", Kind::Version, "version of MSR 2")
            .required()
            .example("2.9.28"),
        key("imageRepo", Kind::Text, "where images come from")
            .value(IMAGE_REPO)
            .example("registry.example.net/mirantis"),
        key("installFlags", Kind::Flags, "flags of the installer")
            .example("[--ucp-insecure-tls, --replica-https-port=4443]"),
        key("upgradeFlags", Kind::Flags, "flags of the upgrade").example("[--debug]"),
        key(
            "replicaIDs",
            Kind::Word(&["random", "sequential"]),
            "how replicas are numbered",
        )
        .value("random")
        .example("sequential"),
        key("caCertPath", Kind::File, CA).example("./msr-ca.pem"),
        key("certPath", Kind::File, CERT).example("./msr-cert.pem"),
        key("keyPath", Kind::File, KEY).example("./msr-key.pem"),
        key("caCertData", Kind::Secret, CA).example("\"${MSR_CA}\""),
        key("certData", Kind::Secret, CERT).example("\"${MSR_CERT}\""),
        key("keyData", Kind::Secret, KEY).example("\"${MSR_KEY}\""),
    ],
    former: &[(
        "replicas",
        "give as many hosts as you want replicas the role `msr`",
    )],
};
