//! What every phase of a run shares: the configuration, the host handles, what the user asked for.

use std::collections::BTreeMap;
use std::net::IpAddr;

use config::{Config, Role};
use phase::{Failure, HostId};
use rig::Host;
use secrecy::SecretString;
use tokio::sync::OnceCell;

use super::facts::Facts;

/// The port of the swarm's control plane.
pub const SWARM_PORT: u16 = 2377;

/// What the user asked for on the command line and in the environment.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// `--force`: go on where a version jump is not supported.
    pub force: bool,
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

/// What every phase of a run shares.
pub struct Shared {
    /// The configuration.
    pub config: Config,
    /// Name of this run, unique.
    pub run_id: String,
    /// What the user asked for.
    pub wishes: Wishes,
    /// The hosts, in configuration order; filled when they are connected.
    hosts: Vec<OnceCell<Host>>,
    /// The join tokens, read once from the leader when the first host needs one.
    pub(super) tokens: OnceCell<JoinTokens>,
    /// The cluster CA, read once from the leader.
    pub(super) cluster_ca: OnceCell<String>,
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
    pub fn new(config: Config, run_id: String, wishes: Wishes) -> Self {
        let hosts = config.hosts.iter().map(|_| OnceCell::new()).collect();
        Self {
            config,
            run_id,
            wishes,
            hosts,
            tokens: OnceCell::new(),
            cluster_ca: OnceCell::new(),
        }
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
        self.ids().filter(|id| self.role(*id) == Role::Manager).collect()
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
        self.hosts[id.0].get().ok_or_else(|| Failure::new("the host is not connected").unreachable())
    }

    /// Returns all connected hosts.
    pub fn connected_hosts(&self) -> BTreeMap<HostId, &Host> {
        self.ids().filter_map(|id| self.hosts[id.0].get().map(|host| (id, host))).collect()
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
