//! MSR, as far as an installer sees it: its bootstrapper, the containers of its replicas, and their
//! `/_ping`. There is no registry behind it.
//!
//! The bootstrapper reaches the cluster through the API of MKE, as the real one does, and leaves on a
//! node what a replica is known by: containers with the labels of version and replica, volumes, and
//! the network that all replicas share. Names and messages are those of MSR 2.9.

use std::collections::BTreeMap;
use std::time::Duration;

use standin::http::Request;
use standin::log::{Format, Level, Line};

use super::container::{Container, Mount, MountKind, Restart, Spec, Status, Stream};
use super::image::Reference;
use super::network::Network;
use super::queue::Event;
use super::{lifecycle, mke, names, pull, refusal, volume};
use crate::world::{HostId, World};

/// How long a look at the cluster takes.
const LOOKING: Duration = Duration::from_secs(4);

/// How long a replica takes to be set up.
const SETTING_UP: Duration = Duration::from_secs(110);

/// How long `images` takes.
const LISTING: Duration = Duration::from_millis(600);

/// How long a replica takes from its start until it is well.
const BECOMING_WELL: Duration = Duration::from_secs(25);

/// The containers of a replica, and their images.
const PARTS: &[(&str, &str)] = &[
    ("dtr-api", "dtr-api"),
    ("dtr-garant", "dtr-garant"),
    ("dtr-jobrunner", "dtr-jobrunner"),
    ("dtr-nginx", "dtr-nginx"),
    ("dtr-notary-server", "dtr-notary-server"),
    ("dtr-notary-signer", "dtr-notary-signer"),
    ("dtr-registry", "dtr-registry"),
    ("dtr-rethinkdb", "dtr-rethink"),
    ("dtr-scanningstore", "dtr-postgres"),
];

/// The volumes of a replica.
const VOLUMES: &[&str] = &[
    "dtr-ca",
    "dtr-jobrunner",
    "dtr-nginx",
    "dtr-notary",
    "dtr-postgres",
    "dtr-registry",
    "dtr-rethink",
];

/// The network of all replicas.
const NETWORK: &str = "dtr-ol";

/// The label with the version of a replica.
const VERSION: &str = "com.docker.dtr.version";

/// The label with the id of a replica.
const REPLICA: &str = "com.docker.dtr.replica";

/// What the bootstrapper is told to do.
struct Asked {
    operation: String,
    /// The flags, without their dashes.
    flags: BTreeMap<String, String>,
}

/// Why an operation ends early.
struct Stop(String);

/// What an operation has found out about the cluster.
struct Cluster {
    /// Its nodes: names and hosts.
    nodes: Vec<(String, HostId)>,
    /// Its replicas: ids, hosts, versions.
    replicas: Vec<(String, HostId, String)>,
}

/// Switches of the bootstrapper; everything else has a value.
const SWITCHES: &[&str] = &[
    "debug",
    "ucp-insecure-tls",
    "skip-network-test",
    "unsafe-join",
    "nfs-options",
    "enable-pprof",
    "dtr-storage-volume",
];

impl Asked {
    fn parse(words: &[String]) -> Self {
        let mut words = words.iter();
        let operation = words.next().cloned().unwrap_or_default();
        let mut flags = BTreeMap::new();
        while let Some(word) = words.next() {
            let Some(flag) = word.strip_prefix("--") else {
                continue;
            };
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, value.to_owned()),
                None if SWITCHES.contains(&flag) => (flag, "true".to_owned()),
                None => (flag, words.next().cloned().unwrap_or_default()),
            };
            flags.insert(name.to_owned(), value);
        }
        Self { operation, flags }
    }

    fn needs(&self, flag: &str) -> Result<&str, Stop> {
        let value = self.flags.get(flag).filter(|value| !value.is_empty());
        let missing = || Stop(format!("--{flag} is required"));
        value.map(String::as_str).ok_or_else(missing)
    }
}

/// Starts the bootstrapper.
pub(crate) fn launch(world: &mut World, host: HostId, id: &str, now: Duration) {
    let Some(asked) = asked(world, host, id) else {
        return;
    };
    let takes = match asked.operation.as_str() {
        "images" => LISTING,
        "install" | "join" | "upgrade" | "remove" | "destroy" => LOOKING,
        other => {
            let text = format!("No help topic for '{other}'");
            say(world, host, id, &[Line::Plain(text)], now);
            return end(world, host, id, 3, now);
        }
    };
    if asked.operation == "install" {
        let line = info("Beginning Mirantis Secure Registry installation");
        say(world, host, id, &[line], now);
    }
    again(world, host, id, now + takes);
}

/// Lets the bootstrapper go on.
pub(crate) fn step(world: &mut World, host: HostId, id: &str, run: u32, now: Duration) {
    let container = world.engine(host).containers.get(id);
    let Some(started) = container
        .filter(|one| one.state.run == run && one.state.status == Status::Running)
        .and_then(|one| one.state.started)
    else {
        return;
    };
    let Some(asked) = asked(world, host, id) else {
        return;
    };
    let is_set_up = now.saturating_sub(started) >= SETTING_UP;
    let done = match asked.operation.as_str() {
        "images" => {
            list(world, host, id, now);
            Ok(true)
        }
        "install" | "join" => set_up(world, host, id, &asked, is_set_up, now),
        "upgrade" => upgrade(world, host, id, &asked, is_set_up, now),
        _ => remove(world, host, id, &asked, now),
    };
    match done {
        Ok(true) => end(world, host, id, 0, now),
        Ok(false) => again(world, host, id, started + SETTING_UP),
        Err(Stop(why)) => {
            say(world, host, id, &[Line::log(Level::Fatal, why)], now);
            end(world, host, id, 1, now);
        }
    }
}

/// Returns the status of the health check of a container, where it has one.
pub(crate) fn health(container: &Container, now: Duration) -> &'static str {
    let is_checked = container.name.starts_with("dtr-nginx-");
    match (is_checked, container.state.status, container.state.started) {
        (false, ..) => "none",
        (true, Status::Running, Some(started)) if started + BECOMING_WELL <= now => "healthy",
        (true, Status::Running, _) => "starting",
        (true, ..) => "unhealthy",
    }
}

/// Returns whether a replica on a host answers on a port that it is well; `None` where there is none.
pub(crate) fn is_well(world: &World, host: HostId, port: u16, now: Duration) -> Option<bool> {
    let port = port.to_string();
    let mut containers = world.engine(host).containers.values();
    let found = containers.find(|one| {
        one.name.starts_with("dtr-nginx-")
            && one.state.status == Status::Running
            && one.spec.ports.iter().any(|(outer, _)| *outer == port)
    });
    found.map(|one| health(one, now) == "healthy")
}

fn info(text: impl Into<String>) -> Line {
    Line::log(Level::Info, text)
}

fn asked(world: &World, host: HostId, id: &str) -> Option<Asked> {
    let container = world.engine(host).containers.get(id)?;
    let words = lifecycle::argv(world, host, container);
    Some(Asked::parse(words.get(1..).unwrap_or_default()))
}

fn again(world: &mut World, host: HostId, id: &str, at: Duration) {
    let container = world.engine(host).containers.get(id);
    let run = container.map_or(0, |one| one.state.run);
    let event = Event::Replica {
        host,
        container: id.to_owned(),
        run,
    };
    world.engines.queue.put(at, event);
}

fn end(world: &mut World, host: HostId, id: &str, status: u8, now: Duration) {
    let container = world.engine(host).containers.get(id);
    let run = container.map_or(0, |one| one.state.run);
    let event = Event::Ended {
        host,
        container: id.to_owned(),
        run,
        status,
    };
    let after = Duration::from_millis(200);
    world.engines.queue.put(now + after, event);
}

fn say(world: &mut World, host: HostId, id: &str, lines: &[Line], now: Duration) {
    let wall = world.wall(host, now).as_secs();
    lifecycle::change(world, host, id, |container| {
        for line in lines {
            let stream = match line {
                Line::Log { .. } => Stream::Error,
                Line::Plain(_) => Stream::Out,
            };
            container.print(now, stream, line.render(Format::Text, wall));
        }
    });
}

/// Returns the repository and the version of the bootstrapper in a container.
fn release(world: &World, host: HostId, id: &str) -> standin::image::Release {
    let container = world.engine(host).containers.get(id);
    let image = container.map(|one| one.spec.image.clone());
    standin::image::Release::of(&image.unwrap_or_default())
}

fn list(world: &mut World, host: HostId, id: &str, now: Duration) {
    let release = release(world, host, id);
    let images = std::iter::once("dtr").chain(PARTS.iter().map(|(_, image)| *image));
    let lines: Vec<Line> = images
        .map(|name| Line::Plain(release.named(name)))
        .collect();
    say(world, host, id, &lines, now);
}

/// Reaches the cluster through the API of MKE.
fn connect(world: &mut World, host: HostId, asked: &Asked, now: Duration) -> Result<Cluster, Stop> {
    let url = asked.needs("ucp-url")?.to_owned();
    let (user, password) = (asked.needs("ucp-username")?, asked.needs("ucp-password")?);
    let place = url.strip_prefix("https://").unwrap_or(&url);
    let place = place.split('/').next().unwrap_or_default();
    let (address, port) = match place.rsplit_once(':') {
        Some((address, port)) => (address, port.parse().unwrap_or(443)),
        None => (place, 443),
    };
    let trouble = |what: &str| {
        Stop(format!(
            "Couldn't connect to UCP using the provided parameters: {what}"
        ))
    };
    let is_trusted =
        asked.flags.contains_key("ucp-insecure-tls") || asked.flags.contains_key("ucp-ca");
    if !is_trusted {
        return Err(trouble(
            "x509: certificate signed by unknown authority. Use --ucp-ca or --ucp-insecure-tls",
        ));
    }
    let body = format!(
        "{{\"username\":{},\"password\":{}}}",
        serde_json::Value::from(user),
        serde_json::Value::from(password)
    );
    let request = Request {
        method: "POST".to_owned(),
        path: "/auth/login".to_owned(),
        body: body.into_bytes(),
        ..Request::default()
    };
    let answer = mke::serve::ask(world, host, address, port, &request, now);
    let (answer, controller) = answer.ok_or_else(|| {
        trouble(&format!(
            "dial tcp {address}:{port}: connect: connection refused"
        ))
    })?;
    if answer.status != 200 {
        return Err(trouble(
            "Authentication failed: invalid username or password",
        ));
    }
    let membership = world.engine(controller).membership.as_ref();
    let swarm = membership.map(|one| one.swarm);
    let nodes: Vec<(String, HostId)> = swarm.map_or_else(Vec::new, |swarm| {
        let nodes = world.swarm(swarm).nodes.values();
        nodes
            .map(|node| (node.host_name.clone(), node.host))
            .collect()
    });
    let replicas = nodes.iter().flat_map(|(_, host)| {
        let containers = world.engine(*host).containers.values();
        let stores = containers.filter(|one| one.name.starts_with("dtr-rethinkdb-"));
        stores.map(|one| {
            let label = |name: &str| one.spec.labels.get(name).cloned().unwrap_or_default();
            (label(REPLICA), *host, label(VERSION))
        })
    });
    let replicas = replicas.collect();
    Ok(Cluster { nodes, replicas })
}

/// `install` and `join`: returns whether the replica is there.
fn set_up(
    world: &mut World,
    host: HostId,
    id: &str,
    asked: &Asked,
    is_set_up: bool,
    now: Duration,
) -> Result<bool, Stop> {
    let cluster = connect(world, host, asked, now)?;
    let is_join = asked.operation == "join";
    let name = asked.needs("ucp-node")?;
    let missing = || Stop(format!("The node \"{name}\" was not found in UCP"));
    let mut nodes = cluster.nodes.iter();
    let (_, node) = nodes.find(|(one, _)| one == name).ok_or_else(missing)?;
    if is_join {
        known_replica(&cluster, asked)?;
    }
    let replica = match asked.flags.get("replica-id") {
        Some(given) if !is_replica_id(given) => {
            return Err(Stop(format!(
                "Invalid replica ID \"{given}\": it must be 12 hexadecimal characters"
            )));
        }
        Some(given) => given.clone(),
        None => names::sha256(id.as_bytes())[..12].to_owned(),
    };
    if cluster.replicas.iter().any(|(one, ..)| *one == replica) {
        return Err(Stop(format!("Replica ID {replica} is already in use")));
    }
    let port = |flag: &str, usual: &str| asked.flags.get(flag).cloned().unwrap_or(usual.into());
    let ports = [
        (port("replica-https-port", "443"), "443".to_owned()),
        (port("replica-http-port", "80"), "80".to_owned()),
    ];
    if let Some((taken, _)) = ports
        .iter()
        .find(|(outer, _)| is_taken(world, *node, outer, now))
    {
        return Err(Stop(format!(
            "the following ports are already in use on node {name}: [{taken}]"
        )));
    }
    if !is_set_up {
        say(world, host, id, &looked_at(&ports), now);
        return Ok(false);
    }
    let release = release(world, host, id);
    make_replica(world, *node, &release, &replica, &ports, now)?;
    say(world, host, id, &set_up_lines(&replica, is_join), now);
    Ok(true)
}

/// What is said while the cluster is looked at.
fn looked() -> [Line; 4] {
    [
        "Validating UCP cert",
        "Connecting to UCP",
        "health checking ucp",
        "Searching containers in UCP for DTR replicas",
    ]
    .map(info)
}

fn looked_at(ports: &[(String, String)]) -> Vec<Line> {
    let ports = ports.iter().rev().map(|(outer, _)| outer.as_str());
    let ports = ports.collect::<Vec<_>>().join(" ");
    let more = [
        info(format!("verifying [{ports}] ports on node")),
        info("Waiting for running dtr-phase2 container to finish"),
    ];
    looked().into_iter().chain(more).collect()
}

fn set_up_lines(replica: &str, is_join: bool) -> Vec<Line> {
    let parts = PARTS
        .iter()
        .map(|(name, _)| info(format!("Creating {name}-{replica}...")));
    let begin = [
        info("starting phase 2"),
        info("Setting up replica volumes..."),
    ];
    let end = match is_join {
        true => [
            info(format!("Replica ID is set to: {replica}")),
            info("Join is complete"),
        ],
        false => [
            info("Installation is complete"),
            info(format!("Replica ID is set to: {replica}")),
        ],
    };
    begin.into_iter().chain(parts).chain(end).collect()
}

fn is_replica_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_taken(world: &World, node: HostId, port: &str, now: Duration) -> bool {
    let mut containers = world.engine(node).containers.values();
    let publishes = |one: &Container| one.spec.ports.iter().any(|(outer, _)| outer == port);
    let by_controller = mke::serve::ports(world, node, now);
    containers.any(|one| one.state.status.is_alive() && publishes(one))
        || by_controller.iter().any(|one| one.to_string() == port)
}

fn known_replica<'a>(
    cluster: &'a Cluster,
    asked: &Asked,
) -> Result<&'a (String, HostId, String), Stop> {
    let wanted = asked.needs("existing-replica-id")?;
    let mut replicas = cluster.replicas.iter();
    let missing = || Stop(format!("Replica {wanted} was not found in UCP"));
    replicas.find(|(one, ..)| one == wanted).ok_or_else(missing)
}

fn refused(refusal: super::Refusal) -> Stop {
    Stop(refusal.message)
}

fn make_replica(
    world: &mut World,
    node: HostId,
    release: &standin::image::Release,
    replica: &str,
    ports: &[(String, String)],
    now: Duration,
) -> Result<(), Stop> {
    if !world.engine(node).is_answering() {
        return Err(refused(refusal(
            500,
            "the engine of the node does not answer",
        )));
    }
    add_network(world, node, now);
    for name in VOLUMES {
        let volume = volume::Volume {
            name: format!("{name}-{replica}"),
            labels: BTreeMap::new(),
            created: now,
            is_anonymous: false,
        };
        volume::create(world, node, volume, now).map_err(refused)?;
    }
    for (name, image) in PARTS {
        let image = release.named(image);
        let reference = Reference::parse(&image).map_err(Stop)?;
        pull::at_once(world, node, &reference, None, now).map_err(refused)?;
        let is_door = *name == "dtr-nginx";
        let labels = [(VERSION, release.tag.as_str()), (REPLICA, replica)];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let spec = Spec {
            image,
            labels: BTreeMap::from(labels),
            mounts: vec![mount(name, replica)],
            network: NETWORK.to_owned(),
            restart: Restart::UnlessStopped,
            ports: if is_door { ports.to_vec() } else { Vec::new() },
            ..Spec::default()
        };
        let name = format!("{name}-{replica}");
        let id = lifecycle::create(world, node, Some(&name), spec, now).map_err(refused)?;
        lifecycle::start(world, node, &id, now).map_err(refused)?;
    }
    Ok(())
}

fn mount(name: &str, replica: &str) -> Mount {
    let known = VOLUMES.iter().find(|volume| name.starts_with(**volume));
    let volume = known.copied().unwrap_or("dtr-ca");
    Mount {
        kind: MountKind::Volume,
        source: format!("{volume}-{replica}"),
        target: "/data".to_owned(),
        is_read_only: false,
    }
}

/// Adds the network of the replicas to their node and to all managers.
fn add_network(world: &mut World, node: HostId, now: Duration) {
    let membership = world.engine(node).membership.as_ref();
    let Some(swarm) = membership.map(|one| one.swarm) else {
        return;
    };
    let mut network = Network::local(&mut world.rng, NETWORK, "overlay", Some("10.1.0.0/24"), now);
    "swarm".clone_into(&mut network.scope);
    network.id = names::swarm_id(&mut world.rng);
    let managers = world.swarm(swarm).managers().map(|one| one.host);
    let hosts: Vec<HostId> = managers.chain([node]).collect();
    for host in hosts {
        let networks = &mut world.engine_mut(host).networks;
        networks
            .entry(NETWORK.to_owned())
            .or_insert_with(|| network.clone());
    }
}

/// `upgrade`: returns whether it is done.
fn upgrade(
    world: &mut World,
    host: HostId,
    id: &str,
    asked: &Asked,
    is_set_up: bool,
    now: Duration,
) -> Result<bool, Stop> {
    let cluster = connect(world, host, asked, now)?;
    known_replica(&cluster, asked)?;
    if !is_set_up {
        say(world, host, id, &looked(), now);
        return Ok(false);
    }
    let release = release(world, host, id);
    for (replica, node, _) in &cluster.replicas {
        let ports = ports_of(world, *node, replica);
        clear(world, *node, replica, now);
        make_replica(world, *node, &release, replica, &ports, now)?;
        let line = info(format!("Upgraded replica {replica} to {}", release.tag));
        say(world, host, id, &[line], now);
    }
    say(world, host, id, &[info("Upgrade is complete")], now);
    Ok(true)
}

fn ports_of(world: &World, node: HostId, replica: &str) -> Vec<(String, String)> {
    let name = format!("dtr-nginx-{replica}");
    let found = world.engine(node).find(&name);
    found.map_or_else(Vec::new, |one| one.spec.ports.clone())
}

/// Removes the containers of a replica.
fn clear(world: &mut World, node: HostId, replica: &str, now: Duration) {
    for (name, _) in PARTS {
        let how = lifecycle::Removal {
            is_forced: true,
            with_volumes: true,
        };
        // Somebody was faster.
        let _ = lifecycle::remove(world, node, &format!("{name}-{replica}"), how, now);
    }
}

/// `remove` and `destroy`.
fn remove(
    world: &mut World,
    host: HostId,
    id: &str,
    asked: &Asked,
    now: Duration,
) -> Result<bool, Stop> {
    let cluster = connect(world, host, asked, now)?;
    let flag = match asked.operation.as_str() {
        "remove" => {
            known_replica(&cluster, asked)?;
            "replica-ids"
        }
        _ => "replica-id",
    };
    for wanted in asked.needs(flag)?.split(',') {
        let mut replicas = cluster.replicas.iter();
        let Some((replica, node, _)) = replicas.find(|(one, ..)| one == wanted) else {
            return Err(Stop(format!("Replica {wanted} was not found in UCP")));
        };
        clear(world, *node, replica, now);
        for volume in VOLUMES {
            // Somebody was faster.
            let _ = volume::remove(world, *node, &format!("{volume}-{replica}"), true, now);
        }
        say(
            world,
            host,
            id,
            &[info(format!("Removed replica {replica}"))],
            now,
        );
    }
    Ok(true)
}
