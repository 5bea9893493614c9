//! Init, join, leave.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::Rng as _;

use super::history::Happening;
use super::node::{self, Availability, Node};
use super::objects::{self, Admission, Tokens};
use super::{Settings, Swarm, raft, reconcile, tasks};
use crate::engine::around::{self, is_connected, own_address};
use crate::engine::disk::{cannot, disk};
use crate::engine::network::{self, Network};
use crate::engine::show::info::major;
use crate::engine::{Membership, Refusal, names, refusal};
use crate::world::{HostId, World};

/// What an engine that is in a swarm says.
const ALREADY: &str = "This node is already part of a swarm. Use \"docker swarm leave\" to leave \
    this swarm and join another one.";

/// What an engine says that could not join in time.
const TOO_LATE: &str = "Timeout was reached before node joined. The attempt to join the swarm will \
    continue in the background. Use the \"docker info\" command to see the current swarm state of \
    your node.";

/// How long an engine tries to reach a manager.
const PATIENCE: Duration = Duration::from_secs(20);

/// The port of managers.
const PORT: u16 = 2377;

/// What a node is asked to be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// The address to be known by: an address or an interface, with or without a port.
    pub(crate) advertise: String,
    /// The address to listen on.
    pub(crate) listen: String,
    /// The managers to join.
    pub(crate) remotes: Vec<String>,
    /// What lets it join.
    pub(crate) token: String,
    /// Whether it gets tasks.
    pub(crate) availability: Option<Availability>,
}

/// Makes a swarm of one manager; returns the id of its node, and how long that took.
pub(crate) fn init(
    world: &mut World,
    host: HostId,
    request: &Request,
    settings: Settings,
    now: Duration,
) -> Result<(String, Duration), Refusal> {
    if world.engine(host).membership.is_some() {
        return Err(refusal(503, ALREADY));
    }
    let (address, port) = advertised(world, host, request)?;
    let created = network::Network {
        scope: "swarm".to_owned(),
        ..Network::local(
            &mut world.rng,
            "ingress",
            "overlay",
            Some("10.0.0.0/24"),
            now,
        )
    };
    let swarm = world.engines.swarms.len();
    let id = names::swarm_id(&mut world.rng);
    let tokens = Tokens::new(&mut world.rng);
    let node = new_node(world, host, (address, port), true, request, now);
    let node_id = node.id.clone();
    enter(world, host, swarm, &node_id, &created, now)?;
    let mut state = Swarm {
        id,
        created: now,
        updated: now,
        nodes: BTreeMap::new(),
        leader: Some(node_id.clone()),
        election: None,
        had_quorum: true,
        tokens,
        services: BTreeMap::new(),
        tasks: BTreeMap::new(),
        configs: BTreeMap::new(),
        secrets: BTreeMap::new(),
        ingress: created,
        settings,
        version: 10,
        is_reconciling: false,
        history: Vec::new(),
    };
    node::add(&mut state, node, now);
    state.note(now, Happening::LeaderChanged(host));
    world.engines.swarms.push(state);
    world.touch(host);
    Ok((node_id, Duration::from_millis(700)))
}

fn new_node(
    world: &mut World,
    host: HostId,
    (address, port): (String, u16),
    is_manager: bool,
    request: &Request,
    now: Duration,
) -> Node {
    Node {
        id: names::swarm_id(&mut world.rng),
        host,
        host_name: world.hosts[host.0].name.clone(),
        is_manager,
        availability: request.availability.unwrap_or(Availability::Active),
        labels: BTreeMap::new(),
        address,
        port,
        engine_version: world.build(&world.engine(host).version).version,
        joined: now,
        updated: now,
        version: 0,
        silent_since: None,
        ready_at: now,
        has_left: false,
    }
}

/// Makes an engine a member.
fn enter(
    world: &mut World,
    host: HostId,
    swarm: usize,
    node: &str,
    ingress: &Network,
    now: Duration,
) -> Result<(), Refusal> {
    let kept = disk(world, host, now).keep_membership(node);
    kept.map_err(|errno| {
        let root = &world.engine(host).settings.data_root;
        refusal(500, cannot(&format!("mkdir {root}/swarm"), errno))
    })?;
    let engine = &mut world.hosts[host.0].engine;
    engine.membership = Some(Membership {
        swarm,
        node: node.to_owned(),
        from: now,
    });
    network::add_swarm(&mut engine.networks, &mut world.rng, ingress, now);
    world.touch(host);
    Ok(())
}

/// Returns the address and the port by which a node is known.
fn advertised(world: &World, host: HostId, request: &Request) -> Result<(String, u16), Refusal> {
    let text = request.advertise.as_str();
    if text.is_empty() {
        let own = around::address(world, host);
        return Ok((own, PORT));
    }
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => {
            let bad = || refusal(400, format!("invalid port {port:?} in address {text}"));
            (name, port.parse::<u16>().ok().ok_or_else(bad)?)
        }
        None => (text, PORT),
    };
    if let Some(own) = own_address(world, host, name) {
        return Ok((own, port));
    }
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    // The engine then listens on its own address, where it has but one.
    let has_one = world.hosts[host.0].addresses().count() == 1;
    if is_address && (!request.listen.is_empty() || has_one) {
        return Ok((name.to_owned(), port));
    }
    Err(refusal(
        400,
        if is_address {
            "must specify a listening address because the address to advertise is not recognized \
             as a system address, and a system's IP address to use could not be uniquely identified"
        } else {
            "advertise address must be a non-zero IP address or network interface (with optional \
             port number)"
        },
    ))
}

/// Joins a swarm; returns how long that took, also where it fails.
pub(crate) fn join(
    world: &mut World,
    host: HostId,
    request: &Request,
    now: Duration,
) -> (Duration, Result<(), Refusal>) {
    let quick = Duration::from_millis(50);
    if world.engine(host).membership.is_some() {
        return (quick, Err(refusal(503, ALREADY)));
    }
    let address = match advertised(world, host, request) {
        Ok(address) => address,
        Err(refusal) => return (quick, Err(refusal)),
    };
    let found = match find(world, host, request) {
        Ok(found) => found,
        Err(late) => return late,
    };
    let (swarm, is_manager) = found;
    let node = new_node(world, host, address, is_manager, request, now);
    let id = node.id.clone();
    let ingress = world.swarm(swarm).ingress.clone();
    if let Err(refusal) = enter(world, host, swarm, &id, &ingress, now) {
        return (quick, Err(refusal));
    }
    let milliseconds = if is_manager { 2_000..4_500 } else { 700..1_800 };
    let took = Duration::from_millis(world.rng.random_range(milliseconds));
    let state = world.swarm_mut(swarm);
    let version = state.bump(now);
    let node = Node {
        version,
        ready_at: now + took,
        ..node
    };
    node::add(state, node, now);
    world.touch_swarm(swarm);
    reconcile::at(world, swarm, now + took);
    (took, Ok(()))
}

/// Finds the swarm to join, and whether as a manager.
fn find(
    world: &World,
    host: HostId,
    request: &Request,
) -> Result<(usize, bool), (Duration, Result<(), Refusal>)> {
    let quick = Duration::from_millis(300);
    let fails =
        |took: Duration, status: u16, message: String| Err((took, Err(refusal(status, message))));
    let remote = request
        .remotes
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    let (name, port) = remote.rsplit_once(':').unwrap_or((remote, "2377"));
    let Some(authority) = objects::authority_of(&request.token) else {
        return fails(quick, 500, "invalid join token".to_owned());
    };
    let manager = around::host_with(world, host, name);
    let reachable = manager.filter(|&manager| is_connected(world, host, manager));
    let Some(manager) = reachable else {
        return fails(PATIENCE, 503, TOO_LATE.to_owned());
    };
    let engine = world.engine(manager);
    let membership = engine.membership.as_ref().filter(|one| {
        let node = world.swarm(one.swarm).nodes.get(&one.node);
        let listens = |node: &Node| node.is_manager && node.port.to_string() == port;
        engine.is_running && node.is_some_and(listens)
    });
    let Some(membership) = membership else {
        let is_old = major(&world.engine(host).version) < 23;
        let dialing = if is_old { "dialing" } else { "dialing:" };
        return fails(
            Duration::from_secs(10),
            503,
            format!(
                "rpc error: code = Unavailable desc = connection error: desc = \"transport: Error \
                 while {dialing} dial tcp {name}:{port}: connect: connection refused\""
            ),
        );
    };
    let swarm = membership.swarm;
    let invalid = "rpc error: code = InvalidArgument desc = A valid join token is necessary to \
                   join this cluster";
    let state = world.swarm(swarm);
    let is_manager = match state.tokens.judge(&request.token) {
        Admission::Manager => true,
        Admission::Worker => false,
        Admission::WrongSecret => return fails(quick, 400, invalid.to_owned()),
        Admission::OtherAuthority => {
            let text = format!("remote CA does not match fingerprint. Expected: {authority}");
            return fails(Duration::from_secs(10), 500, text);
        }
    };
    if !raft::sees_leader(world, swarm, manager) {
        return fails(PATIENCE, 503, TOO_LATE.to_owned());
    }
    Ok((swarm, is_manager))
}

/// Leaves a swarm; returns how long that took.
pub(crate) fn leave(
    world: &mut World,
    host: HostId,
    is_forced: bool,
    now: Duration,
) -> Result<Duration, Refusal> {
    let Some(membership) = world.engine(host).membership.clone() else {
        return Err(refusal(503, "This node is not part of a swarm"));
    };
    let Membership { swarm, node, .. } = membership;
    let state = world.swarm(swarm);
    let is_manager = state.nodes.get(&node).is_some_and(|node| node.is_manager);
    if is_manager && !is_forced {
        return Err(refusal(503, warning(world, swarm)));
    }
    let engine = world.engine_mut(host);
    engine.membership = None;
    engine.networks.remove("ingress");
    disk(world, host, now).forget_membership();
    tasks::clear_host(world, host, swarm, now);
    let state = world.swarm_mut(swarm);
    state.bump(now);
    state.note(now, Happening::Left(host));
    if let Some(node) = state.nodes.get_mut(&node) {
        node.has_left = true;
        node.updated = now;
    }
    let was_last = state.managers().all(|manager| manager.has_left);
    if was_last {
        state.nodes.clear();
        state.leader = None;
    }
    world.touch(host);
    world.touch_swarm(swarm);
    raft::look_at(world, swarm, now);
    reconcile::soon(world, swarm, now);
    Ok(Duration::from_millis(if is_manager { 1_800 } else { 900 }))
}

/// Says why a manager is not to leave (dockerd 25.0, `daemon/cluster/cluster.go`).
fn warning(world: &World, swarm: usize) -> String {
    let managers = world.swarm(swarm).managers();
    let (reachable, unreachable): (Vec<_>, Vec<_>) =
        managers.partition(|manager| manager.silent_since.is_none() && !manager.has_left);
    let (reachable, unreachable) = (reachable.len(), unreachable.len());
    let mut text = "You are attempting to leave the swarm on a node that is participating as a \
                    manager. "
        .to_owned();
    if reachable <= unreachable + 2 {
        if reachable == 1 && unreachable == 0 {
            text.push_str(
                "Removing the last manager erases all current state of the swarm. Use `--force` \
                 to ignore this message. ",
            );
            return text;
        }
        text.push_str(&format!(
            "Removing this node leaves {} managers out of {}. Without a Raft quorum your swarm \
             will be inaccessible. ",
            reachable.saturating_sub(1),
            reachable + unreachable
        ));
    }
    text.push_str(
        "The only way to restore a swarm that has lost consensus is to reinitialize it with \
         `--force-new-cluster`. Use `--force` to suppress this message.",
    );
    text
}
