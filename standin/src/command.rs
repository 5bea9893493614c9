//! What can be run: operations of the bootstrapper, and roles of its own containers.

use std::collections::BTreeMap;
use std::fmt;

use crate::flags::{Flag, Flags, Misuse};

/// The environment of a process; its values are never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Returns the value of a variable, unless it is empty.
    pub fn value(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?;
        (!value.is_empty()).then_some(value)
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(pairs: T) -> Self {
        let pairs = pairs.into_iter();
        Self(
            pairs
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What a process finds around it, besides its command line.
#[derive(Debug, Clone)]
pub struct World {
    /// The name of the image that its container runs from.
    pub image: String,
    /// Its environment.
    pub environment: Environment,
    /// What salts and generated passwords are made from; every process has another.
    pub seed: Seed,
}

/// A source of unpredictable values.
#[derive(Clone, Copy)]
pub struct Seed(pub [u8; 32]);

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// An operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Makes a cluster.
    Install,
    /// Brings a cluster to the version of this image.
    Upgrade,
    /// Removes MKE from all nodes.
    Uninstall,
    /// Lists or pulls the images.
    Images,
    /// Prints certificates.
    DumpCerts,
    /// Prints the id of the cluster.
    Id,
    /// Role: keeps the containers of its node as they should be.
    Agent,
    /// Role: removes MKE from its node.
    UninstallAgent,
    /// Role: serves the API.
    Controller,
    /// Role: is there.
    Proxy,
}

/// All operations, under their names.
pub const OPERATIONS: &[(&str, Operation)] = &[
    ("install", Operation::Install),
    ("upgrade", Operation::Upgrade),
    ("uninstall-ucp", Operation::Uninstall),
    ("images", Operation::Images),
    ("dump-certs", Operation::DumpCerts),
    ("id", Operation::Id),
    ("agent", Operation::Agent),
    ("uninstall-agent", Operation::UninstallAgent),
    ("serve", Operation::Controller),
    ("proxy", Operation::Proxy),
];

impl Operation {
    /// Returns the word of the command line.
    pub fn name(self) -> &'static str {
        let found = OPERATIONS.iter().find(|(_, operation)| *operation == self);
        found.map_or("", |(name, _)| name)
    }

    /// Returns the flags that the operation has.
    pub fn flags(self) -> Vec<Flag> {
        let own = match self {
            Self::Install => INSTALL,
            Self::Upgrade => UPGRADE,
            Self::Uninstall => UNINSTALL,
            Self::Images => IMAGES,
            Self::DumpCerts => DUMP_CERTS,
            Self::Id | Self::Agent | Self::UninstallAgent | Self::Controller | Self::Proxy => &[],
        };
        [COMMON, FAULTS, own].concat()
    }
}

/// Flags of every operation.
const COMMON: &[Flag] = &[
    Flag::switch("debug").short("D"),
    Flag::switch("jsonlog"),
    Flag::switch("interactive").short("i"),
];

/// The faults; see the front page of the crate.
const FAULTS: &[Flag] = &[
    Flag::one("sim-at").variable("UCP_SIM_AT"),
    Flag::one("sim-fail").variable("UCP_SIM_FAIL"),
    Flag::one("sim-exit").variable("UCP_SIM_EXIT"),
    Flag::switch("sim-die").variable("UCP_SIM_DIE"),
    Flag::switch("sim-hold").variable("UCP_SIM_HOLD"),
    Flag::one("sim-slow").variable("UCP_SIM_SLOW"),
    Flag::switch("sim-long-line").variable("UCP_SIM_LONG_LINE"),
];

const REGISTRY_USERNAME: Flag = Flag::one("registry-username").variable("REGISTRY_USERNAME");
const REGISTRY_PASSWORD: Flag = Flag::one("registry-password").variable("REGISTRY_PASSWORD");

/// Flags of `install`: the documentation of UCP 3.2 to MKE 3.9.
const INSTALL: &[Flag] = &[
    Flag::one("admin-username").variable("UCP_ADMIN_USER"),
    Flag::one("admin-password").variable("UCP_ADMIN_PASSWORD"),
    Flag::one("azure-ip-count"),
    Flag::switch("azure-skip-pre-provision"),
    Flag::switch("binpack"),
    Flag::switch("calico-ebpf-enabled"),
    Flag::switch("calico-vxlan"),
    Flag::one("cloud-provider"),
    Flag::one("cni-installer-url"),
    Flag::one("cni-mtu"),
    Flag::one("controller-port"),
    Flag::one("data-path-addr"),
    Flag::one("default-node-orchestrator"),
    Flag::switch("disable-tracking"),
    Flag::switch("disable-usage"),
    Flag::many("dns").variable("DNS"),
    Flag::many("dns-opt").variable("DNS_OPT"),
    Flag::many("dns-search").variable("DNS_SEARCH"),
    Flag::switch("enable-profiling"),
    Flag::switch("existing-config"),
    Flag::switch("external-server-cert"),
    Flag::one("external-service-lb").variable("UCP_EXTERNAL_SERVICE_LB"),
    Flag::switch("force-insecure-tcp"),
    Flag::switch("force-minimums"),
    Flag::one("host-address").variable("UCP_HOST_ADDRESS"),
    Flag::one("iscsiadm-path"),
    Flag::switch("kube-default-drop-masq-bits"),
    Flag::one("kube-apiserver-port"),
    Flag::one("kube-protect-kernel-defaults"),
    Flag::one("kube-proxy-mode"),
    Flag::one("kv-snapshot-count").variable("KV_SNAPSHOT_COUNT"),
    Flag::one("kv-timeout").variable("KV_TIMEOUT"),
    Flag::one("license"),
    Flag::switch("multus-cni"),
    Flag::one("nodeport-range"),
    Flag::one("pod-cidr"),
    Flag::switch("preserve-certs"),
    Flag::one("pull"),
    Flag::switch("random"),
    REGISTRY_PASSWORD,
    REGISTRY_USERNAME,
    Flag::many("san").variable("UCP_HOSTNAMES"),
    Flag::switch("secure-overlay"),
    Flag::one("service-cluster-ip-range"),
    Flag::switch("skip-cloud-provider-check"),
    Flag::switch("storage-expt-enabled"),
    Flag::switch("storage-iscsi"),
    Flag::switch("swarm-experimental"),
    Flag::one("swarm-grpc-port"),
    Flag::switch("swarm-only"),
    Flag::one("swarm-port"),
    Flag::one("unlock-key").variable("UNLOCK_KEY"),
    Flag::switch("unmanaged-cni"),
];

/// Flags of `upgrade`.
const UPGRADE: &[Flag] = &[
    Flag::one("admin-username").variable("UCP_ADMIN_USER"),
    Flag::one("admin-password").variable("UCP_ADMIN_PASSWORD"),
    Flag::switch("force-minimums"),
    Flag::switch("force-port-check"),
    Flag::switch("force-recent-backup"),
    Flag::one("host-address").variable("UCP_HOST_ADDRESS"),
    Flag::one("id"),
    Flag::switch("manual-worker-upgrade"),
    Flag::one("pod-cidr"),
    Flag::one("pull"),
    REGISTRY_PASSWORD,
    REGISTRY_USERNAME,
    Flag::switch("swarm-only"),
    Flag::one("unlock-key").variable("UNLOCK_KEY"),
    Flag::switch("unmanaged-cni"),
];

/// Flags of `uninstall-ucp`.
const UNINSTALL: &[Flag] = &[
    Flag::one("id"),
    Flag::switch("no-purge-secret"),
    Flag::one("pull"),
    Flag::switch("purge-config"),
    REGISTRY_PASSWORD,
    REGISTRY_USERNAME,
    Flag::switch("unmanaged-cni"),
];

/// Flags of `images`.
const IMAGES: &[Flag] = &[
    Flag::switch("enable-windows"),
    Flag::switch("list"),
    Flag::one("pull"),
    REGISTRY_PASSWORD,
    REGISTRY_USERNAME,
    Flag::switch("swarm-only"),
];

/// Flags of `dump-certs`.
const DUMP_CERTS: &[Flag] = &[
    Flag::switch("ca"),
    Flag::switch("cluster"),
    Flag::switch("etcd"),
];

/// A command line that makes sense.
#[derive(Debug, Clone)]
pub struct Command {
    /// The operation.
    pub operation: Operation,
    /// Its flags.
    pub flags: Flags,
}

/// A command line that makes no sense: what is printed, and the exit status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The text.
    pub text: String,
    /// The exit status.
    pub status: u8,
}

impl Command {
    /// Reads a command line without the name of the program.
    ///
    /// # Errors
    ///
    /// Returns what is to be printed where there is no such operation or flag, and where only help
    /// is wanted.
    pub fn parse(arguments: &[String], environment: &Environment) -> Result<Self, Usage> {
        let Some((word, rest)) = arguments.split_first() else {
            return Err(help(0));
        };
        if ["help", "h", "-h", "-help", "--help"].contains(&word.as_str()) {
            return Err(help(0));
        }
        let found = OPERATIONS.iter().find(|(name, _)| name == word);
        let Some((_, operation)) = found else {
            // The words and the status of the library that the real one is made with.
            return Err(Usage {
                text: format!("No help topic for '{word}'"),
                status: 3,
            });
        };
        let flags = Flags::parse(&operation.flags(), rest, environment);
        flags
            .map(|flags| Self {
                operation: *operation,
                flags,
            })
            .map_err(|Misuse(message)| Usage {
                text: format!("Incorrect Usage: {message}\n\n{}", help(1).text),
                status: 1,
            })
    }
}

fn help(status: u8) -> Usage {
    let operations = OPERATIONS.iter().take(6).map(|(name, _)| *name);
    Usage {
        text: format!(
            "Stand-in of the MKE bootstrapper\n\nUsage: ucp OPERATION [FLAGS]\n\nOperations: {}",
            operations.collect::<Vec<_>>().join(", ")
        ),
        status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, Usage> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Command::parse(&words, &Environment::default())
    }

    #[test]
    fn every_operation_has_its_flags() {
        for line in [
            "install --san a --san=b --controller-port 8443 --pod-cidr 10.0.0.0/16 --swarm-only \
             --license {} --pull never --cloud-provider aws --debug --jsonlog -i --unmanaged-cni \
             --default-node-orchestrator=kubernetes --kube-proxy-mode=ipvs --force-minimums \
             --external-service-lb x --preserve-certs \
             --host-address eth0 --data-path-addr eth1 --nodeport-range 1-2 --swarm-port 1 \
             --swarm-grpc-port 2 --skip-cloud-provider-check --disable-tracking --disable-usage \
             --unlock-key k --dns 1.1.1.1 --kv-timeout 1 --kv-snapshot-count 2 --calico-vxlan=false",
            "upgrade --id x --manual-worker-upgrade --force-recent-backup --force-port-check",
            "uninstall-ucp --id x --purge-config --no-purge-secret --unmanaged-cni --pull missing",
            "images --list --enable-windows --swarm-only --registry-username u",
            "dump-certs --cluster --ca --etcd",
            "id --debug",
            "agent",
            "serve",
            "proxy",
            "uninstall-agent",
        ] {
            let command = parse(line).unwrap();

            let word = line.split_whitespace().next();
            assert_eq!(Some(command.operation.name()), word);
        }
    }

    #[test]
    fn no_flag_is_listed_twice() {
        for (_, operation) in OPERATIONS {
            let mut names: Vec<&str> = operation.flags().iter().map(|flag| flag.name).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();

            assert_eq!(names.len(), count, "{operation:?}");
        }
    }

    #[test]
    fn an_unknown_flag_is_incorrect_usage() {
        let usage = parse("install --sann=x").unwrap_err();

        assert_eq!(usage.status, 1);
        assert!(
            usage
                .text
                .starts_with("Incorrect Usage: flag provided but not defined: -sann\n"),
            "{}",
            usage.text
        );
    }

    #[test]
    fn an_unknown_operation_has_no_help_topic() {
        let usage = parse("instal").unwrap_err();

        assert_eq!(
            (usage.text.as_str(), usage.status),
            ("No help topic for 'instal'", 3)
        );
        assert_eq!(parse("help").unwrap_err().status, 0);
        assert_eq!(parse("").unwrap_err().status, 0);
    }

    #[test]
    fn neither_environment_nor_seed_is_printed() {
        let world = World {
            image: "x".to_owned(),
            environment: [("NAME", "secret")].into_iter().collect(),
            seed: Seed([77; 32]),
        };

        let shown = format!("{world:?}");
        assert!(
            !shown.contains("secret") && !shown.contains("77"),
            "{shown}"
        );
    }
}
