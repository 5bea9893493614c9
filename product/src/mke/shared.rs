//! What every phase of a run shares: the configuration, the host handles, what the user asked for.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use config::{Config, Role};
use configurer::{Selection, Unsupported};
use phase::{Failure, HostId};
use rig::Host;
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::facts::Facts;

/// The port of the swarm's control plane.
pub const SWARM_PORT: u16 = 2377;

/// What the user asked for on the command line and in the environment.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// `--debug`: pass `--debug` to the bootstrapper.
    pub debug: bool,
    /// Credentials of registries.
    pub logins: Vec<RegistryLogin>,
}

/// Credentials of one registry.
#[derive(Debug, Clone)]
pub struct RegistryLogin {
    /// The registry, as `docker login` takes it; empty for Docker Hub.
    pub server: String,
    /// The user.
    pub username: String,
    /// The password.
    pub password: SecretString,
}

/// Tells the time: seconds since the epoch, as a value that a test can hand in.
#[derive(Clone)]
pub struct Clock(pub Arc<dyn Fn() -> f64 + Send + Sync>);

impl Clock {
    /// Returns the time now, in seconds since the epoch.
    pub fn now(&self) -> f64 {
        (self.0)()
    }
}

/// What every phase of a run shares.
pub struct Shared {
    /// The configuration.
    pub config: Config,
    /// Name of this run, unique.
    pub run_id: String,
    /// What the user asked for.
    pub wishes: Wishes,
    /// The wall clock of this machine.
    pub clock: Clock,
    names: Vec<String>,
    /// The hosts, in configuration order; filled when they are connected.
    hosts: Vec<OnceCell<Host>>,
    /// What discovery saw of the run lock, which the lock itself has to know.
    pub(super) lock_seen: Mutex<BTreeMap<HostId, LockFacts>>,
    /// The join tokens, read once from the leader when the first host needs one.
    pub(super) tokens: OnceCell<JoinTokens>,
    /// The administrator's password that the installer has made up, where none was configured.
    generated_password: OnceCell<SecretString>,
    /// The cluster CA, read once from the leader.
    pub(super) cluster_ca: OnceCell<String>,
}

/// What the lock has to know of a manager.
#[derive(Debug, Clone, Default)]
pub(super) struct LockFacts {
    /// The run that gave the lock back last.
    pub(super) last_run: Option<String>,
    /// Whether the host is a manager of a swarm.
    pub(super) is_in_swarm: bool,
    /// Whether a run held the lock on it, a dead one included.
    pub(super) is_locked: bool,
}

/// The secrets by which nodes join.
#[derive(Debug, Clone)]
pub struct JoinTokens {
    /// For managers.
    pub manager: SecretString,
    /// For workers.
    pub worker: SecretString,
}

impl Shared {
    /// Makes the shared state of a run; no host is connected yet.
    pub fn new(config: Config, run_id: String, wishes: Wishes, clock: Clock) -> Self {
        let hosts = config.hosts.iter().map(|_| OnceCell::new()).collect();
        let names = config.host_names();
        Self {
            config,
            run_id,
            wishes,
            clock,
            names,
            hosts,
            lock_seen: Mutex::default(),
            tokens: OnceCell::new(),
            generated_password: OnceCell::new(),
            cluster_ca: OnceCell::new(),
        }
    }

    /// Returns the name of a host, unique in the configuration.
    pub fn name(&self, id: HostId) -> &str {
        self.names.get(id.0).map_or("?", String::as_str)
    }

    /// Returns the names of all hosts in configuration order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the row of a host in the table of operating systems.
    ///
    /// # Errors
    ///
    /// Fails where the engine is not made for the system.
    pub fn selection(&self, facts: &Facts) -> Result<Selection, Unsupported> {
        configurer::select(&facts.texts.os_release, &facts.architecture)
    }

    /// Returns the names by which the cluster is reached: those of `--san`, else the addresses of
    /// the managers.
    pub fn sans(&self) -> Vec<String> {
        let given: Vec<String> = self
            .config
            .mke
            .install_flags
            .values("--san")
            .into_iter()
            .flat_map(|value| value.split(','))
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
            .collect();
        if !given.is_empty() {
            return given;
        }
        self.managers()
            .into_iter()
            .map(|id| self.host_config(id).address().to_owned())
            .collect()
    }

    /// Returns the flags of the installer as shell text, with the default names of the cluster
    /// where none are given.
    pub fn install_flags(&self) -> Vec<String> {
        let mut flags = self.config.mke.install_flags.shell_words();
        if !self.config.mke.install_flags.has("--san") {
            flags.extend(self.sans().iter().map(|name| format!("--san={name}")));
        }
        flags
    }

    /// Returns a hash of the flags that only an install reads; names of the cluster are left out,
    /// as they can be changed later.
    pub fn install_flags_digest(&self) -> String {
        let text: Vec<String> = self
            .config
            .mke
            .install_flags
            .shell_words()
            .into_iter()
            .filter(|flag| !flag.starts_with("--san"))
            .collect();
        configurer::owned::hash(&text.join("\n"))
    }

    /// Returns what the engine's configuration file shall say on a host.
    pub fn daemon_json(&self, id: HostId, facts: &Facts) -> serde_json::Map<String, Value> {
        let mut wanted: serde_json::Map<String, Value> = self
            .host_config(id)
            .mcr_config
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if facts.selinux_enforcing {
            wanted.entry("selinux-enabled").or_insert(Value::Bool(true));
        }
        wanted
    }

    /// Returns the environment of a host.
    pub fn environment(&self, id: HostId) -> BTreeMap<String, String> {
        self.host_config(id)
            .environment
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Returns the configuration of a host.
    pub fn host_config(&self, id: HostId) -> &config::Host {
        &self.config.hosts[id.0]
    }

    /// Returns the role of a host.
    pub fn role(&self, id: HostId) -> Role {
        self.host_config(id).role
    }

    /// Returns all hosts in configuration order.
    pub fn ids(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..self.config.hosts.len()).map(HostId)
    }

    /// Returns the managers in configuration order.
    pub fn managers(&self) -> Vec<HostId> {
        self.ids()
            .filter(|id| self.role(*id) == Role::Manager)
            .collect()
    }

    /// Returns whether a host is a manager.
    pub fn is_manager(&self, id: HostId) -> bool {
        self.role(id) == Role::Manager
    }

    /// Puts a connected host in its place; a second connection of the same host is dropped.
    pub fn connected(&self, id: HostId, host: Host) {
        // A place is filled once: phases run after it was.
        drop(self.hosts[id.0].set(host));
    }

    /// Returns the handle of a connected host.
    ///
    /// # Errors
    ///
    /// Fails for a host that was never connected.
    pub fn host(&self, id: HostId) -> Result<&Host, Failure> {
        self.hosts[id.0]
            .get()
            .ok_or_else(|| Failure::new("the host is not connected").unreachable())
    }

    /// Keeps the password that the installer has made up. It says so once.
    pub fn keep_generated_password(&self, password: SecretString) {
        drop(self.generated_password.set(password));
    }

    /// Returns the password that the installer has made up in this run.
    pub fn generated_password(&self) -> Option<&SecretString> {
        self.generated_password.get()
    }

    /// Takes note of what the run lock has to know of a host.
    pub fn note_lock(&self, id: HostId, facts: &Facts) {
        let seen = LockFacts {
            last_run: facts.last_run.clone(),
            is_in_swarm: facts.swarm.is_manager,
            is_locked: facts.lock.is_some(),
        };
        self.lock_seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, seen);
    }

    /// Returns all connected hosts.
    pub fn connected_hosts(&self) -> BTreeMap<HostId, &Host> {
        self.ids()
            .filter_map(|id| self.hosts[id.0].get().map(|host| (id, host)))
            .collect()
    }

    /// Returns the address by which other nodes reach the swarm's control plane on this host.
    pub fn swarm_address(&self, id: HostId, facts: &Facts) -> String {
        let address = self.advertise_address(id, facts);
        match address.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("[{address}]:{SWARM_PORT}"),
            Ok(IpAddr::V4(_)) | Err(_) => format!("{address}:{SWARM_PORT}"),
        }
    }

    /// Returns the address by which this host is known in the swarm.
    pub fn advertise_address(&self, id: HostId, facts: &Facts) -> String {
        self.host_config(id)
            .swarm_address
            .clone()
            .unwrap_or_else(|| facts.internal_address.clone())
    }
}
