//! What is known about one host, and how it is found out: one script, one round trip.
//!
//! Every part of the script has its own limit and status, so that an engine that hangs is a fact
//! ("the engine does not answer"), not a hang, and never the same as "MKE is not installed".
//! Nothing here is secret: texts that may hold one are kept beside the facts, not among them.

pub mod parse;

use std::collections::BTreeMap;

use phase::Known;
use rig::privilege::NoPrivilege;
use serde::Serialize;

/// The discovery script; its arguments are described at its top.
pub const SCRIPT: &str = include_str!("discover.sh");

/// What is known about one host.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Facts {
    /// How a command becomes root: `root`, `sudo`, `doas` or `none`.
    pub privilege: String,
    /// What those said who did not let a command become root.
    #[serde(skip)]
    pub no_privilege: Option<NoPrivilege>,
    /// Name of the login user.
    pub login: String,
    /// The operating system.
    pub os: Os,
    /// Hardware name (`x86_64`).
    pub architecture: String,
    /// Release of the kernel.
    pub kernel: String,
    /// Short host name.
    pub hostname: String,
    /// Full host name, where it can be resolved.
    pub fqdn: Option<String>,
    /// Changes with every boot.
    pub boot_id: String,
    /// Processors, memory, disk.
    pub machine: Machine,
    /// Seconds that the clock of the host is ahead of ours, as far as the round trip allows.
    #[serde(skip)]
    pub clock_skew_seconds: f64,
    /// How far off that may be, either way: a host that was long in answering says when it began
    /// only roughly.
    #[serde(skip)]
    pub clock_doubt_seconds: f64,
    /// The init system: `systemd`, `openrc` or `unknown`.
    pub init: String,
    /// Whether SELinux is enforcing.
    pub selinux_enforcing: bool,
    /// Whether the host is itself a container.
    pub is_container: bool,
    /// Whether the name `localhost` resolves.
    pub localhost_resolves: bool,
    /// Addresses of global scope.
    pub addresses: Vec<InterfaceAddress>,
    /// The interface of private traffic: the configured one, else the one that is found.
    pub private_interface: Option<String>,
    /// The address that the nodes of the cluster use among themselves.
    pub internal_address: String,
    /// TCP ports that are listened on.
    pub listening: Vec<u16>,
    /// Installed packages that matter here, with their versions.
    pub packages: BTreeMap<String, String>,
    /// Packages of the engine whose installation was cut off.
    pub broken_packages: Vec<String>,
    /// Files that launchpad may write.
    pub files: Files,
    /// What is ours on this host.
    #[serde(skip)]
    pub owned: configurer::Owned,
    /// Whether there is a directory of engine data.
    pub has_engine_data: bool,
    /// The container engine.
    pub engine: Engine,
    /// The node's membership in a swarm.
    pub swarm: Swarm,
    /// The nodes of the swarm as this manager sees them, by node id.
    pub nodes: BTreeMap<String, Node>,
    /// MKE on this host.
    pub mke: MkeOnHost,
    /// The container of a vendor step that was started and not yet removed.
    pub bootstrap: Option<Bootstrap>,
    /// SHA-256 of the files of the external server certificate, by name.
    pub certificates: BTreeMap<String, String>,
    /// Whether the images of MKE are on this host; only a run can tell.
    pub images_pulled: bool,
    /// Whether this run has logged in to the registries.
    pub logged_in: bool,
    /// Labels that this run has set on the node of this host.
    pub labels_set: BTreeMap<String, String>,
    /// The run lock, if it is held.
    #[serde(skip)]
    pub lock: Option<LockSeen>,
    /// Id of the run that last gave the lock back.
    #[serde(skip)]
    pub last_run: Option<String>,
    /// Temporary directories of a run that was killed.
    #[serde(skip)]
    pub leftovers: Vec<String>,
    /// Whether the package repository and the registries could be reached; by URL or name, with
    /// what was seen instead. Only looked at where something must be installed.
    #[serde(skip)]
    pub unreachable_sources: BTreeMap<String, String>,
    /// Host names and texts that a plan must not show.
    #[serde(skip)]
    pub texts: Texts,
}

/// The operating system of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Os {
    /// `ID` of os-release.
    pub id: String,
    /// `VERSION_ID`.
    pub version: String,
    /// `PRETTY_NAME`.
    pub name: String,
}

/// Hardware of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Number of processors.
    pub processors: u64,
    /// Main memory in bytes.
    pub memory_bytes: u64,
    /// Free bytes where the engine keeps its data.
    pub free_disk_bytes: u64,
}

/// An address of global scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InterfaceAddress {
    /// Name of the interface.
    pub interface: String,
    /// The address, without its prefix length.
    pub address: std::net::IpAddr,
}

/// Files that launchpad may write, as hashes or small harmless values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Files {
    /// SHA-256 of daemon.json.
    pub daemon_json: Option<String>,
    /// SHA-256 of /etc/environment.
    pub environment: Option<String>,
    /// SHA-256 of the proxy drop-in of the engine's unit.
    pub proxy_drop_in: Option<String>,
    /// SHA-256 of the package repository's file.
    pub repository: Option<String>,
}

/// Texts of files that may hold secrets (proxy passwords); never printed.
#[derive(Clone, Default)]
pub struct Texts {
    /// daemon.json.
    pub daemon_json: Option<String>,
    /// /etc/environment.
    pub environment: Option<String>,
    /// The proxy drop-in of the engine's unit.
    pub proxy_drop_in: Option<String>,
    /// The package repository's file.
    pub repository: Option<String>,
    /// os-release.
    pub os_release: String,
}

impl std::fmt::Debug for Texts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Texts(..)")
    }
}

/// The container engine of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Engine {
    /// Whether it is there, and answers.
    pub state: EngineState,
    /// Version of the engine, where it answers.
    pub version: Option<Known<String>>,
    /// Directory of its data.
    pub root_dir: Option<String>,
    /// Whether its files have changed since it was started.
    pub needs_restart: bool,
    /// When it was started; changes with every restart. Microseconds since boot, with OpenRC since
    /// 1970.
    pub started: Option<Known<u64>>,
}

/// Whether the engine of a host is there, and answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineState {
    /// There is no engine.
    #[default]
    Absent,
    /// There is an engine, and it does not answer; what it said.
    Silent(String),
    /// It answers.
    Running,
}

/// The node's membership in a swarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Swarm {
    /// State of the local node as the engine names it (`inactive`, `active`, `pending`, `error`,
    /// `locked`); empty where no engine answers.
    pub state: String,
    /// Id of the node.
    pub node_id: Option<Known<String>>,
    /// Id of the swarm; only managers know it.
    pub cluster_id: Option<Known<String>>,
    /// Whether the node is a manager.
    pub is_manager: bool,
    /// Whether the node leads the raft, as the node itself sees it.
    pub is_leader: bool,
    /// What the engine says is wrong.
    pub error: Option<String>,
}

impl Swarm {
    /// Returns whether the node is a member of a swarm.
    pub fn is_member(&self) -> bool {
        self.state == "active" || self.state == "pending"
    }
}

/// A node of the swarm as a manager sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Host name.
    pub hostname: String,
    /// `ready`, `down`, `unknown`, `disconnected`.
    pub state: String,
    /// Address.
    pub address: String,
    /// `manager` or `worker`.
    pub role: String,
    /// `active`, `pause` or `drain`.
    pub availability: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it leads the raft.
    pub leader: bool,
    /// `reachable` or `unreachable`; managers only.
    pub reachability: Option<String>,
}

/// MKE on one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MkeOnHost {
    /// Version of the running proxy container: the tag of its image.
    pub proxy_version: Option<String>,
    /// Names of all containers that begin with `ucp-`.
    pub containers: Vec<String>,
    /// Names of the swarm services that begin with `ucp-`; managers only.
    pub services: Vec<String>,
    /// HTTP status of `/_ping` on this host, where a manager answered at all.
    pub ping: Option<u16>,
}

/// A container named `ucp`: a vendor step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bootstrap {
    /// Id of the container.
    pub id: String,
    /// Whether it is still running.
    pub running: bool,
    /// Its exit status, once it has ended.
    pub exit_code: i64,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// The run lock as discovery saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockSeen {
    /// Seconds since the holder's last sign of life, by the clock of this host.
    pub age_seconds: u64,
    /// The record.
    pub record: phase::lock::LockRecord,
}

impl Facts {
    /// Returns what somebody on the host types about the engine: `start`, `restart`, `status`.
    pub fn engine_command(&self, verb: &str) -> String {
        match self.init.as_str() {
            "openrc" => format!("rc-service docker {verb}"),
            _ => format!("systemctl {verb} docker"),
        }
    }

    /// Returns what shows the log of the engine.
    pub fn engine_log(&self) -> &'static str {
        match self.init.as_str() {
            "openrc" => "less /var/log/docker.log",
            _ => "journalctl -u docker",
        }
    }

    /// Returns whether the engine answers.
    pub fn engine_runs(&self) -> bool {
        self.engine.state == EngineState::Running
    }

    /// Returns the node id, where it is known already.
    pub fn node_id(&self) -> Option<&str> {
        self.swarm
            .node_id
            .as_ref()
            .and_then(Known::get)
            .map(String::as_str)
    }

    /// Returns the id of the swarm, where it is known already.
    pub fn cluster_id(&self) -> Option<&str> {
        self.swarm
            .cluster_id
            .as_ref()
            .and_then(Known::get)
            .map(String::as_str)
    }

    /// Returns the version of the engine, where it is known already.
    pub fn engine_version(&self) -> Option<&str> {
        self.engine
            .version
            .as_ref()
            .and_then(Known::get)
            .map(String::as_str)
    }
}
