//! Who leads, and whether there is a quorum.
//!
//! Nothing here waits: whatever changes who is there has the swarms looked at, and the election that
//! is found to be due is an event.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::Rng as _;

use super::history::Happening;
use super::node::SILENCE;
use super::{Swarm, reconcile};
use crate::engine::around::{is_connected, is_up};
use crate::engine::queue::Event;
use crate::world::{HostId, World};

/// How long an engine takes from its start until it takes part in its swarm (seen with 25.0).
pub(crate) const JOINING: Duration = Duration::from_secs(2);

/// Looks at all swarms: where power, a cable or a way between hosts has come or gone.
pub(crate) fn look(world: &mut World, now: Duration) {
    for swarm in 0..world.engines.swarms.len() {
        if !world.swarm(swarm).nodes.is_empty() {
            look_at(world, swarm, now);
        }
    }
}

/// Returns whether a look at the swarms would change nothing: whoever changes what they see has
/// to have them looked at.
pub(crate) fn is_settled(world: &World, now: Duration) -> bool {
    (0..world.engines.swarms.len()).all(|swarm| {
        let present = present(world, swarm, now);
        let state = world.swarm(swarm);
        let leads = |id: &String| present.with_quorum.contains(id);
        let is_led = state.leader.as_ref().is_some_and(leads);
        let is_decided = match state.election {
            Some(due) => due > now,
            None => present.with_quorum.is_empty() && state.leader.is_none(),
        };
        let is_heard = changes(world, swarm, &present.all, now).is_empty();
        state.nodes.is_empty() || is_heard && (is_led || is_decided)
    })
}

/// Has a swarm looked at later.
pub(crate) fn soon(world: &mut World, swarm: usize, at: Duration) {
    world.engines.queue.put(at, Event::Members { swarm });
}

/// Returns whether the engine of a node takes part in its swarm.
fn takes_part(world: &World, swarm: usize, node: &str, host: HostId, now: Duration) -> bool {
    let engine = world.engine(host);
    let is_member = engine
        .membership
        .as_ref()
        .is_some_and(|one| one.swarm == swarm && one.node == node && one.from <= now);
    is_member && engine.is_running && is_up(world, host)
}

/// Returns whether an engine that is in a swarm is still on its way into it.
pub(crate) fn is_pending(world: &World, host: HostId, now: Duration) -> bool {
    let membership = world.engine(host).membership.as_ref();
    membership.is_some_and(|one| now < one.from)
}

/// Returns whether a manager sees the leader of its swarm.
pub(crate) fn sees_leader(world: &World, swarm: usize, host: HostId) -> bool {
    let state = world.swarm(swarm);
    let leader = state.leader.as_ref().and_then(|id| state.nodes.get(id));
    let own = world.engine(host).membership.as_ref();
    let own = own.and_then(|own| state.nodes.get(&own.node));
    leader.is_some_and(|leader| is_connected(world, leader.host, host))
        && own.is_some_and(|own| own.silent_since.is_none() || own.is_manager)
}

/// The managers that take part, and those among them that see more than half of all.
struct Present {
    all: BTreeSet<String>,
    with_quorum: Vec<String>,
}

fn present(world: &World, swarm: usize, now: Duration) -> Present {
    let state = world.swarm(swarm);
    let managers: Vec<(&String, HostId)> =
        state.managers().map(|one| (&one.id, one.host)).collect();
    let alive: Vec<&(&String, HostId)> = managers
        .iter()
        .filter(|(id, host)| takes_part(world, swarm, id, *host, now))
        .collect();
    let sees_enough = |own: HostId| {
        let seen = alive
            .iter()
            .filter(|(_, host)| is_connected(world, own, *host));
        seen.count() * 2 > managers.len()
    };
    let with_quorum = alive.iter().filter(|(_, host)| sees_enough(*host));
    Present {
        all: alive.iter().map(|(id, _)| (*id).clone()).collect(),
        with_quorum: with_quorum.map(|(id, _)| (*id).clone()).collect(),
    }
}

/// Returns whether a swarm would lose its quorum without one of its managers.
pub(crate) fn loses_quorum_without(world: &World, swarm: usize, id: &str) -> bool {
    let state = world.swarm(swarm);
    let left: Vec<_> = state.managers().filter(|node| node.id != id).collect();
    let alive = left
        .iter()
        .filter(|node| node.silent_since.is_none())
        .count();
    alive * 2 <= left.len()
}

/// Looks at a swarm: who takes part, who leads.
pub(crate) fn look_at(world: &mut World, swarm: usize, now: Duration) {
    let present = present(world, swarm, now);
    let leads = |id: &String| present.with_quorum.contains(id);
    if !world.swarm(swarm).leader.as_ref().is_some_and(leads) {
        find_leader(world, swarm, &present, now);
    }
    hear(world, swarm, &present.all, now);
}

/// Goes on with the election of a leader, as far as it has come.
fn find_leader(world: &mut World, swarm: usize, present: &Present, now: Duration) {
    let state = world.swarm(swarm);
    let election = state.election;
    let had_leader = state.leader.is_some();
    if present.with_quorum.is_empty() {
        let state = world.swarm_mut(swarm);
        state.leader = None;
        state.election = None;
        // A swarm whose last manager has left by itself is no more.
        let is_there = state
            .nodes
            .values()
            .any(|node| node.is_manager && !node.has_left);
        if std::mem::replace(&mut state.had_quorum, false) && is_there {
            state.note(now, Happening::QuorumLost);
        }
        if had_leader {
            world.touch_swarm(swarm);
        }
        return;
    }
    match election {
        Some(due) if due <= now => elect(world, swarm, &present.with_quorum, now),
        Some(_) => {}
        None => {
            let is_alone = world.swarm(swarm).managers().count() == 1;
            let longest = if is_alone { 1_500 } else { 10_000 };
            let due = now + Duration::from_millis(world.rng.random_range(1_000..longest));
            let state = world.swarm_mut(swarm);
            state.leader = None;
            state.election = Some(due);
            soon(world, swarm, due);
            world.touch_swarm(swarm);
        }
    }
}

fn elect(world: &mut World, swarm: usize, candidates: &[String], now: Duration) {
    let place = world.rng.random_range(0..candidates.len());
    let state = world.swarm_mut(swarm);
    state.election = None;
    state.leader = candidates.get(place).cloned();
    let leader = state.leader.as_ref().and_then(|id| state.nodes.get(id));
    if let Some(host) = leader.map(|node| node.host) {
        state.note(now, Happening::LeaderChanged(host));
    }
    if !std::mem::replace(&mut state.had_quorum, true) {
        state.note(now, Happening::QuorumRegained);
    }
    world.touch_swarm(swarm);
    reconcile::soon(world, swarm, now);
}

/// Takes note of which nodes are heard of.
fn hear(world: &mut World, swarm: usize, managers: &BTreeSet<String>, now: Duration) {
    let changes = changes(world, swarm, managers, now);
    if changes.is_empty() {
        return;
    }
    for (id, is_heard) in changes {
        let delay = Duration::from_millis(world.rng.random_range(500..2_500));
        let state = world.swarm_mut(swarm);
        note_change(state, &id, is_heard, now, delay);
        let (soonest, latest) = (now + delay, now + SILENCE);
        soon(world, swarm, if is_heard { soonest } else { latest });
        reconcile::at(world, swarm, if is_heard { soonest } else { latest });
    }
    world.touch_swarm(swarm);
}

/// Returns the nodes that have fallen silent or are heard of again.
fn changes(
    world: &World,
    swarm: usize,
    managers: &BTreeSet<String>,
    now: Duration,
) -> Vec<(String, bool)> {
    let state = world.swarm(swarm);
    let leader = state.leader.as_ref().and_then(|id| state.nodes.get(id));
    let leader = leader.map(|node| node.host);
    let mut changes = Vec::new();
    for node in state.nodes.values() {
        let reaches = leader.is_none_or(|leader| is_connected(world, leader, node.host));
        let is_heard = if node.is_manager {
            managers.contains(&node.id) && reaches
        } else {
            takes_part(world, swarm, &node.id, node.host, now) && reaches
        };
        if is_heard == node.silent_since.is_some() {
            changes.push((node.id.clone(), is_heard));
        }
    }
    changes
}

fn note_change(state: &mut Swarm, id: &str, is_heard: bool, now: Duration, delay: Duration) {
    let Some(node) = state.nodes.get_mut(id) else {
        return;
    };
    let (host, is_manager) = (node.host, node.is_manager);
    if is_heard {
        let silence = node.silent_since.take();
        let was_down = silence.is_some_and(|since| now.saturating_sub(since) >= SILENCE);
        if was_down {
            node.ready_at = now + delay;
        }
    } else {
        node.silent_since = Some(now);
    }
    node.updated = now;
    if is_manager {
        let what = if is_heard {
            Happening::ManagerUp(host)
        } else {
            Happening::ManagerDown(host)
        };
        state.note(now, what);
    }
}
