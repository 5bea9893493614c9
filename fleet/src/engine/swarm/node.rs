//! Nodes: how they are, roles, labels, removal.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::Rng as _;

use super::history::Happening;
use super::{Swarm, raft, reconcile};
use crate::engine::{Refusal, refusal};
use crate::world::{HostId, World};

/// A node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    /// Its id.
    pub(crate) id: String,
    /// Its host.
    pub(crate) host: HostId,
    /// The name of its host when it joined.
    pub(crate) host_name: String,
    /// Whether it is a manager.
    pub(crate) is_manager: bool,
    /// Whether it gets tasks.
    pub(crate) availability: Availability,
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// Its address.
    pub(crate) address: String,
    /// Its port, for other managers.
    pub(crate) port: u16,
    /// The version of its engine.
    pub(crate) engine_version: String,
    /// When it joined.
    pub(crate) joined: Duration,
    /// When it was changed last.
    pub(crate) updated: Duration,
    /// The number of its last change.
    pub(crate) version: u64,
    /// When it was heard of last, where that is too long ago.
    pub(crate) silent_since: Option<Duration>,
    /// When it is ready, where it has been silent or is new.
    pub(crate) ready_at: Duration,
    /// Whether it has left by itself.
    pub(crate) has_left: bool,
}

/// Whether a node gets tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Availability {
    /// It does.
    Active,
    /// It keeps those that it has.
    Pause,
    /// It has none.
    Drain,
}

/// The ways in which a node gets tasks, and their names.
pub(crate) const AVAILABILITIES: &[(&str, Availability)] = &[
    ("active", Availability::Active),
    ("pause", Availability::Pause),
    ("drain", Availability::Drain),
];

impl Availability {
    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        let found = AVAILABILITIES.iter().find(|(_, one)| *one == self);
        found.map_or("", |(name, _)| name)
    }
}

/// For how long a node may be silent before it counts as down: three heartbeats of five seconds.
pub(super) const SILENCE: Duration = Duration::from_secs(15);

impl Node {
    /// Returns its state: `ready`, `down`, `unknown`.
    pub(crate) fn state(&self, now: Duration) -> &'static str {
        match self.silent_since {
            _ if self.has_left => "down",
            Some(since) if now.saturating_sub(since) >= SILENCE => "down",
            Some(_) => "ready",
            None if now < self.ready_at && self.updated == self.joined => "unknown",
            None if now < self.ready_at => "down",
            None => "ready",
        }
    }

    /// Returns whether it can be given tasks.
    pub(crate) fn is_ready(&self, now: Duration) -> bool {
        self.state(now) == "ready"
    }

    /// Returns whether a constraint like `node.role==manager` fits it.
    pub(crate) fn fits(&self, constraint: &str) -> bool {
        let (name, wants, value) = match (constraint.split_once("!="), constraint.split_once("=="))
        {
            (Some((name, value)), _) => (name.trim(), false, value.trim()),
            (None, Some((name, value))) => (name.trim(), true, value.trim()),
            (None, None) => return false,
        };
        let own = match name {
            "node.id" => Some(self.id.as_str()),
            "node.hostname" => Some(self.host_name.as_str()),
            "node.ip" => Some(self.address.as_str()),
            "node.role" => Some(if self.is_manager { "manager" } else { "worker" }),
            "node.platform.os" => Some("linux"),
            "node.platform.arch" => Some("x86_64"),
            name => name
                .strip_prefix("node.labels.")
                .and_then(|label| self.labels.get(label))
                .map(String::as_str),
        };
        (own.is_some_and(|own| own.eq_ignore_ascii_case(value))) == wants
    }
}

/// What is changed about a node.
#[derive(Debug, Clone, Default)]
pub(crate) struct Update {
    /// Labels that it gets.
    pub(crate) labels_to_add: Vec<(String, String)>,
    /// Labels that it loses.
    pub(crate) labels_to_remove: Vec<String>,
    /// Whether it gets tasks.
    pub(crate) availability: Option<Availability>,
    /// Whether it becomes a manager or a worker.
    pub(crate) is_manager: Option<bool>,
}

/// Changes a node.
pub(crate) fn update(
    world: &mut World,
    swarm: usize,
    text: &str,
    update: &Update,
    now: Duration,
) -> Result<(), Refusal> {
    let id = world.swarm(swarm).find_node(text)?.id.clone();
    let node = &world.swarm(swarm).nodes[&id];
    for label in &update.labels_to_remove {
        if !node.labels.contains_key(label) {
            // A message of the client; it ends without a change.
            return Err(refusal(
                400,
                format!("key {label} doesn't exist in node's labels"),
            ));
        }
    }
    if let Some(is_manager) = update.is_manager {
        check_role(world, swarm, &id, is_manager)?;
        let delay = Duration::from_millis(world.rng.random_range(400..1500));
        change_role(world, swarm, &id, is_manager, now, delay);
    }
    let state = world.swarm_mut(swarm);
    let version = state.bump(now);
    if let Some(node) = state.nodes.get_mut(&id) {
        node.labels.extend(update.labels_to_add.iter().cloned());
        for label in &update.labels_to_remove {
            node.labels.remove(label);
        }
        if let Some(availability) = update.availability {
            node.availability = availability;
        }
        node.version = version;
        node.updated = now;
        let host = node.host;
        world.touch(host);
    }
    reconcile::soon(world, swarm, now);
    Ok(())
}

fn check_role(world: &World, swarm: usize, id: &str, is_manager: bool) -> Result<(), Refusal> {
    let state = world.swarm(swarm);
    let node = &state.nodes[id];
    if is_manager || !node.is_manager {
        return Ok(());
    }
    let precondition = |what: &str| {
        refusal(
            412,
            format!("rpc error: code = FailedPrecondition desc = {what}"),
        )
    };
    if state.managers().count() == 1 {
        return Err(precondition(
            "attempting to demote the last manager of the swarm",
        ));
    }
    if raft::loses_quorum_without(world, swarm, id) {
        return Err(precondition(
            "can't remove member from the raft: this would result in a loss of quorum",
        ));
    }
    Ok(())
}

fn change_role(
    world: &mut World,
    swarm: usize,
    id: &str,
    is_manager: bool,
    now: Duration,
    delay: Duration,
) {
    let state = world.swarm_mut(swarm);
    let Some(node) = state.nodes.get_mut(id) else {
        return;
    };
    if node.is_manager == is_manager {
        return;
    }
    node.is_manager = is_manager;
    let host = node.host;
    let what = if is_manager {
        Happening::Promoted(host)
    } else {
        Happening::Demoted(host)
    };
    state.note(now, what);
    if state.leader.as_deref() == Some(id) {
        state.leader = None;
    }
    raft::soon(world, swarm, now + delay);
    raft::look_at(world, swarm, now);
    world.touch(host);
}

/// Removes a node.
pub(crate) fn remove(
    world: &mut World,
    swarm: usize,
    text: &str,
    is_forced: bool,
    now: Duration,
) -> Result<String, Refusal> {
    let state = world.swarm(swarm);
    let node = state.find_node(text)?;
    let (id, host) = (node.id.clone(), node.host);
    let precondition = |what: String| {
        refusal(
            400,
            format!("rpc error: code = FailedPrecondition desc = {what}"),
        )
    };
    if node.is_manager {
        return Err(precondition(format!(
            "node {id} is a cluster manager and is a member of the raft cluster. It must be demoted \
             to worker before removal"
        )));
    }
    if !is_forced && node.state(now) == "ready" {
        return Err(precondition(format!(
            "node {id} is not down and can't be removed"
        )));
    }
    let state = world.swarm_mut(swarm);
    state.nodes.remove(&id);
    state
        .tasks
        .retain(|_, task| task.node.as_deref() != Some(&id));
    state.bump(now);
    state.note(now, Happening::Removed(host));
    reconcile::soon(world, swarm, now);
    Ok(id)
}

/// Adds a node that has joined.
pub(super) fn add(swarm: &mut Swarm, node: Node, now: Duration) {
    swarm.note(now, Happening::Joined(node.host, node.is_manager));
    swarm.nodes.insert(node.id.clone(), node);
}

#[cfg(test)]
pub(crate) fn example(id: &str, host: usize, is_manager: bool) -> Node {
    Node {
        id: id.to_owned(),
        host: HostId(host),
        host_name: format!("h{host}"),
        is_manager,
        availability: Availability::Active,
        labels: BTreeMap::new(),
        address: format!("10.0.0.{host}"),
        port: 2377,
        engine_version: "25.0.9".to_owned(),
        joined: Duration::ZERO,
        updated: Duration::ZERO,
        version: 1,
        silent_since: None,
        ready_at: Duration::ZERO,
        has_left: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_judged() {
        let mut node = example("abc", 1, true);
        node.labels.insert("zone".to_owned(), "b".to_owned());

        for (constraint, wanted) in [
            ("node.role==manager", true),
            ("node.role != manager", false),
            ("node.labels.zone == b", true),
            ("node.labels.zone!=a", true),
            ("node.labels.nope==a", false),
            ("node.platform.os==linux", true),
            ("node.id==other", false),
        ] {
            assert_eq!(node.fits(constraint), wanted, "{constraint}");
        }
    }

    #[test]
    fn silence_makes_a_node_down() {
        let mut node = example("abc", 1, false);
        let at = Duration::from_secs;
        assert_eq!(node.state(at(1)), "ready");

        node.silent_since = Some(at(10));
        assert_eq!(node.state(at(20)), "ready");
        assert_eq!(node.state(at(26)), "down");

        node.silent_since = None;
        node.updated = at(30);
        node.ready_at = at(32);
        assert_eq!(node.state(at(31)), "down");
        assert_eq!(node.state(at(33)), "ready");
    }
}
