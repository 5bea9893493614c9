//! Swarms: what their managers keep, and what they make of it.
//!
//! | module | holds |
//! |---|---|
//! | [`history`] | what has happened, for assertions |
//! | [`membership`] | init, join, leave |
//! | [`node`] | nodes: how they are, roles, labels, removal |
//! | [`objects`] | configs, secrets, tokens |
//! | [`raft`] | who leads, and whether there is a quorum |
//! | [`reconcile`] | which tasks there should be |
//! | [`service`] | services and their tasks |
//! | [`tasks`] | how a task comes to run, and how it ends |

pub(crate) mod history;
pub(crate) mod membership;
pub(crate) mod node;
pub(crate) mod objects;
pub(crate) mod raft;
pub(crate) mod reconcile;
pub(crate) mod service;
pub(crate) mod tasks;

use std::collections::BTreeMap;
use std::time::Duration;

use super::network::Network;
use super::{Refusal, refusal};
use crate::world::{HostId, World};
use history::Record;
use node::Node;
use objects::{Object, Tokens};
use service::{Service, Task};

/// A swarm: what its managers keep.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Swarm {
    /// Its id.
    pub(crate) id: String,
    /// When it was made.
    pub(crate) created: Duration,
    /// When it was changed last.
    pub(crate) updated: Duration,
    /// Its nodes, by their ids.
    pub(crate) nodes: BTreeMap<String, Node>,
    /// The node that leads.
    pub(crate) leader: Option<String>,
    /// When the election that is going on ends.
    pub(crate) election: Option<Duration>,
    /// Whether more than half of the managers were there when it was looked at last.
    pub(crate) had_quorum: bool,
    /// What lets nodes join.
    pub(crate) tokens: Tokens,
    /// Its services, by their ids.
    pub(crate) services: BTreeMap<String, Service>,
    /// The tasks of services, by their ids.
    pub(crate) tasks: BTreeMap<String, Task>,
    /// Its configs, by their ids.
    pub(crate) configs: BTreeMap<String, Object>,
    /// Its secrets, by their ids.
    pub(crate) secrets: BTreeMap<String, Object>,
    /// The network through which published ports lead.
    pub(crate) ingress: Network,
    /// Its settings.
    pub(crate) settings: Settings,
    /// The number of its last change.
    pub(crate) version: u64,
    /// Whether a look at what should run is due already.
    pub(crate) is_reconciling: bool,
    /// What has happened.
    pub(crate) history: Vec<Record>,
}

/// Settings of a swarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// How many tasks that have ended are kept.
    pub(crate) history_limit: u32,
    /// How long certificates of nodes are good.
    pub(crate) certificate_expiry: Duration,
    /// Whether managers have to be unlocked.
    pub(crate) is_locked: bool,
    /// Pools of addresses for overlay networks.
    pub(crate) address_pools: Vec<String>,
    /// The size of their parts.
    pub(crate) subnet_size: u8,
    /// The port of their packets.
    pub(crate) data_path_port: u16,
    /// How often nodes have to be heard of.
    pub(crate) heartbeat: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            history_limit: 5,
            certificate_expiry: Duration::from_secs(90 * 24 * 3600),
            is_locked: false,
            address_pools: vec!["10.0.0.0/8".to_owned()],
            subnet_size: 24,
            data_path_port: 4789,
            heartbeat: Duration::from_secs(5),
        }
    }
}

/// What managers without a leader say.
pub(crate) const NO_LEADER: &str = "rpc error: code = Unknown desc = The swarm does not have a \
    leader. It's possible that too few managers are online. Make sure more than half of the \
    managers are online.";

/// What an engine outside of a swarm says.
const NOT_IN_SWARM: &str = "This node is not a swarm manager. Use \"docker swarm init\" or \
    \"docker swarm join\" to connect this node to swarm and try again.";

/// What a worker says.
const NOT_MANAGER: &str = "This node is not a swarm manager. Worker nodes can't be used to view or \
    modify cluster state. Please run this command on a manager node or promote the current node to \
    a manager.";

impl Swarm {
    /// Takes note of a change and returns its number.
    pub(crate) fn bump(&mut self, now: Duration) -> u64 {
        self.version += 1;
        self.updated = now;
        self.version
    }

    /// Returns the managers.
    pub(crate) fn managers(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values().filter(|node| node.is_manager)
    }

    /// Finds a node by id, name or the beginning of an id.
    pub(crate) fn find_node(&self, text: &str) -> Result<&Node, Refusal> {
        if let Some(found) = self.nodes.get(text) {
            return Ok(found);
        }
        let missing = || refusal(404, format!("node {text} not found"));
        let mut named = self.nodes.values().filter(|node| node.host_name == text);
        if let Some(first) = named.next() {
            return match named.next() {
                None => Ok(first),
                Some(_) => Err(refusal(
                    400,
                    format!(
                        "node {text} is ambiguous ({} matches found)",
                        2 + named.count()
                    ),
                )),
            };
        }
        let mut alike = self.nodes.values().filter(|node| node.id.starts_with(text));
        let first = alike
            .next()
            .filter(|_| !text.is_empty())
            .ok_or_else(missing)?;
        if alike.next().is_some() {
            return Err(missing());
        }
        Ok(first)
    }

    /// Finds a service by id, name or the beginning of an id.
    pub(crate) fn find_service(&self, text: &str) -> Result<&Service, Refusal> {
        if let Some(found) = self.services.get(text) {
            return Ok(found);
        }
        let mut services = self.services.values();
        if let Some(found) = services.find(|service| service.spec.name == text) {
            return Ok(found);
        }
        let mut alike = self
            .services
            .values()
            .filter(|one| one.id.starts_with(text));
        let first = alike
            .next()
            .filter(|_| !text.is_empty() && alike.next().is_none());
        first.ok_or_else(|| refusal(404, format!("service {text} not found")))
    }
}

/// Returns the swarm that an engine manages, where it has a leader.
///
/// # Errors
///
/// Returns what the engine says otherwise.
pub(crate) fn managed(world: &World, host: HostId) -> Result<usize, Refusal> {
    let Some(membership) = &world.engine(host).membership else {
        return Err(refusal(503, NOT_IN_SWARM));
    };
    let swarm = &world.engines.swarms[membership.swarm];
    let node = swarm.nodes.get(&membership.node);
    if !node.is_some_and(|node| node.is_manager) {
        return Err(refusal(503, NOT_MANAGER));
    }
    if raft::sees_leader(world, membership.swarm, host) {
        Ok(membership.swarm)
    } else {
        Err(refusal(500, NO_LEADER))
    }
}

impl World {
    /// Returns a swarm.
    pub(crate) fn swarm(&self, swarm: usize) -> &Swarm {
        &self.engines.swarms[swarm]
    }

    /// Returns a swarm.
    pub(crate) fn swarm_mut(&mut self, swarm: usize) -> &mut Swarm {
        &mut self.engines.swarms[swarm]
    }

    /// Takes note that something has changed that the agents of all members look at.
    pub(crate) fn touch_swarm(&mut self, swarm: usize) {
        let hosts: Vec<HostId> = self
            .swarm(swarm)
            .nodes
            .values()
            .map(|node| node.host)
            .collect();
        for host in hosts {
            self.touch(host);
        }
    }
}
