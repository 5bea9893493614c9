//! What the rest of the fleet asks of engines.

use std::net::IpAddr;
use std::time::Duration;

use tokio::io::DuplexStream;

use super::image::{Behaviour, Image, familiar};
use super::mke::serve;
use super::power::{self, Halt};
use super::registry::{self, Health, small_images};
use super::root::System;
use super::{api, enter, msr};
use crate::files::{Credentials, Kind};
use crate::network::Condition;
use crate::packages::Packages;
use crate::web::{Page, Request, Unfetched, Url};
use crate::world::{Fleet, HostId};

/// Where an engine listens.
const SOCKETS: [&str; 2] = ["/var/run/docker.sock", "/run/docker.sock"];

/// Starts the engine of a host.
///
/// # Errors
///
/// Returns what dockerd says where it does not come up.
pub(crate) fn start(fleet: &Fleet, host: HostId) -> Result<(), String> {
    let wall = fleet.time_of(host);
    enter(fleet, |world, now| {
        let version = version_of(&world.hosts[host.0].packages);
        power::start(world, host, &version, now)?;
        let root = Credentials::root();
        let group = crate::accounts::group(&world.hosts[host.0].files, "docker");
        let files = &mut world.hosts[host.0].files;
        // A socket that is there already is taken over.
        let _ = files.make_node("/run/docker.sock", Kind::Socket, 0o660, &root, wall);
        let gid = group.map(|group| group.gid);
        let follow = crate::files::Follow::Yes;
        let _ = files.set_owner("/run/docker.sock", Some(0), gid, follow, &root);
        Ok(())
    })
}

/// The version of the engine that is installed, without epoch and revision.
fn version_of(packages: &Packages) -> String {
    let names = ["docker-ee", "docker-ce", "docker.io"];
    let found = names.iter().find_map(|name| packages.get(name));
    let version = found.map_or("25.0.9", |one| one.package.version.as_str());
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    version
        .split(['-', '~', '+'])
        .next()
        .unwrap_or(version)
        .to_owned()
}

/// Returns how long the engine of a host takes to end its containers.
pub(crate) fn time_to_stop(fleet: &Fleet, host: HostId) -> Duration {
    enter(fleet, |world, _| power::time_to_stop(world, host))
}

/// Stops the engine of a host.
pub(crate) fn stop(fleet: &Fleet, host: HostId) {
    halt(fleet, host, Halt::Asked);
}

/// Kills the engine of a host.
pub(crate) fn kill(fleet: &Fleet, host: HostId) {
    halt(fleet, host, Halt::Killed);
}

/// Takes the power of a host away.
pub(crate) fn lose_power(fleet: &Fleet, host: HostId) {
    halt(fleet, host, Halt::PowerCut);
}

fn halt(fleet: &Fleet, host: HostId, how: Halt) {
    enter(fleet, |world, now| power::stop(world, host, how, now));
}

/// Makes an engine hang, or answer again.
pub(crate) fn hang(fleet: &Fleet, host: HostId, hangs: bool) {
    enter(fleet, |world, _| power::hang(world, host, hangs));
}

/// Lets swarms look at who reaches whom.
pub(crate) fn network_changed(fleet: &Fleet) {
    enter(fleet, power::network_changed);
}

/// Lets a registry be in the condition of its site.
pub(crate) fn site_changed(fleet: &Fleet, name: &str, condition: Condition) {
    let domain = domain_of(name);
    fleet.world(|world| {
        if world.engines.registries.get(domain).is_some() {
            world.engines.registries.registry(domain).health = match condition {
                Condition::Up => Health::Well,
                Condition::Down => Health::Refuses,
                Condition::Silent => Health::Silent,
                Condition::Status(_) => Health::Broken,
            };
        }
    });
}

/// Lets a registry send so many bytes a second.
pub(crate) fn site_slows(fleet: &Fleet, name: &str, bandwidth: u64) {
    let domain = domain_of(name);
    fleet.world(|world| {
        if world.engines.registries.get(domain).is_some() {
            world.engines.registries.registry(domain).bandwidth = bandwidth;
        }
    });
}

/// Docker Hub has a name of its own on the network.
fn domain_of(name: &str) -> &str {
    if name == "registry-1.docker.io" {
        "docker.io"
    } else {
        name
    }
}

/// Something that listens for TCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listener {
    /// The address as `ss` writes it.
    pub(crate) address: String,
    /// The port.
    pub(crate) port: u16,
    /// How many connections may wait.
    pub(crate) queue: u32,
}

/// Returns where the engine and its containers listen.
pub(crate) fn listening(fleet: &Fleet, host: HostId) -> Vec<Listener> {
    enter(fleet, |world, now| {
        let mut all = Vec::new();
        if !world.engine(host).is_running {
            return all;
        }
        let one = |port: u16, queue: u32| Listener {
            address: "*".to_owned(),
            port,
            queue,
        };
        if let Some(membership) = &world.engine(host).membership {
            let node = world.swarm(membership.swarm).nodes.get(&membership.node);
            if node.is_some_and(|node| node.is_manager) {
                all.push(one(2377, 4096));
            }
            all.push(one(7946, 4096));
        }
        // What a container publishes, a proxy of the engine listens for.
        let containers = world.engine(host).containers.values();
        let alive = containers.filter(|one| one.state.status.is_alive());
        let published = alive.flat_map(|one| &one.spec.ports);
        let published = published.filter(|(_, inner)| !inner.ends_with("/udp"));
        all.extend(published.filter_map(|(outer, _)| {
            Some(Listener {
                address: "0.0.0.0".to_owned(),
                port: outer.parse().ok()?,
                queue: 4096,
            })
        }));
        let ports = serve::ports(world, host, now).into_iter();
        all.extend(ports.map(|port| one(port, 128)));
        all
    })
}

/// Opens a stream to a controller or a registry, as a host would; `None` where nothing listens.
pub(crate) fn dial(fleet: &Fleet, from: HostId, address: &str, port: u16) -> Option<DuplexStream> {
    let controller = serve::dial(fleet, from, address, port);
    controller.or_else(|| registry::serve::dial(fleet, from, address, port))
}

/// Asks a replica of MSR on `host` whether it is well.
fn replica(fleet: &Fleet, host: HostId, url: &Url) -> Result<Page, Unfetched> {
    let is_well = enter(fleet, |world, now| msr::is_well(world, host, url.port, now));
    let (status, body) = match (is_well, url.path.as_str()) {
        (None, _) => return Err(Unfetched::Refused),
        (Some(true), "/_ping") => (200, "{\"Error\":\"\",\"Healthy\":true}"),
        (Some(true), _) => (404, "page not found"),
        (Some(false), _) => (503, "{\"Error\":\"starting\",\"Healthy\":false}"),
    };
    Ok(Page {
        status,
        body: body.as_bytes().to_vec(),
        bandwidth: 50 << 20,
        is_trusted: false,
    })
}

/// Asks a controller on `host`, without the cost of TLS.
///
/// # Errors
///
/// Fails where nothing listens.
pub(crate) async fn fetch(
    fleet: &Fleet,
    host: HostId,
    url: &Url,
    request: &Request<'_>,
) -> Result<Page, Unfetched> {
    let (path, query) = match url.path.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (url.path.as_str(), None),
    };
    let asked = standin::http::Request {
        method: request.method.to_owned(),
        path: path.to_owned(),
        query,
        host: Some(format!("{}:{}", url.host, url.port)),
        authorization: request.authorization.map(str::to_owned),
        has_certificate: false,
        body: request.body.to_vec(),
    };
    let answer = serve::https(fleet, host, "127.0.0.1", url.port, asked).await;
    match answer {
        Ok(_) if url.scheme != "https" => Err(Unfetched::Garbled),
        Ok(answer) => Ok(Page {
            status: answer.status,
            body: standin::wire::content(answer.body).1,
            bandwidth: 50 << 20,
            is_trusted: false,
        }),
        Err(_) => replica(fleet, host, url),
    }
}

/// Sends a request to the socket of the engine; `None` where nobody listens there.
pub(crate) async fn ask(
    fleet: &Fleet,
    host: HostId,
    who: &Credentials,
    socket: &str,
    url: &Url,
    request: &Request<'_>,
) -> Option<Page> {
    let may = fleet.host(host, |host| {
        let node = host.files.node(socket, crate::files::Follow::Yes, who);
        node.is_ok_and(|node| node.allows(who, 2))
    });
    if !may || !SOCKETS.contains(&socket) {
        return None;
    }
    let asked = api::Request {
        method: request.method.to_owned(),
        target: url.path.clone(),
        body: request.body.to_vec(),
    };
    let answer = api::send(fleet, host, &asked).await?;
    Some(Page {
        status: answer.status,
        body: answer.body,
        bandwidth: 500 << 20,
        is_trusted: true,
    })
}

/// What the swarms of a fleet went through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quorum {
    /// How many swarms there were.
    pub swarms: usize,
    /// How often a quorum was lost.
    pub lost: usize,
    /// How many managers of one swarm were away at the same time, at most.
    pub most_managers_down: usize,
}

impl Fleet {
    /// Returns, for each host, whether the API of its controller answers that it is well.
    pub fn api_answers(&self, port: u16) -> Vec<bool> {
        enter(self, |world, now| {
            let hosts = (0..world.hosts.len()).map(HostId);
            hosts
                .map(|host| serve::is_well(world, host, port, now))
                .collect()
        })
    }

    /// Returns what the swarms went through so far.
    pub fn quorum(&self) -> Quorum {
        enter(self, |world, _| {
            let swarms = &world.engines.swarms;
            Quorum {
                swarms: swarms.len(),
                lost: swarms
                    .iter()
                    .map(super::swarm::Swarm::times_quorum_lost)
                    .sum(),
                most_managers_down: swarms
                    .iter()
                    .map(super::swarm::Swarm::most_managers_down)
                    .max()
                    .unwrap_or(0),
            }
        })
    }

    /// Lets engines of a version be of a build of somebody else.
    pub fn set_build(&self, version: &str, build: super::Build) {
        self.world(|world| world.engines.builds.insert(version.to_owned(), build));
    }

    /// Adds a registry that wants a password for everything.
    pub fn add_private_registry(&self, domain: &str, user: &str, password: &str) {
        self.add_registry(domain);
        self.world(|world| {
            let registry = world.engines.registries.registry(domain);
            registry.users.insert(user.to_owned(), password.to_owned());
        });
    }

    /// Lets a registry be one that somebody runs for themselves, which holds MKE in some versions.
    /// Its images carry their names in a label.
    pub fn make_own_registry(&self, domain: &str, versions: &[&str], label: &str) {
        let versions = versions.iter().map(|&version| version.to_owned());
        let own = super::registry::Own {
            versions: versions.collect(),
            label: label.to_owned(),
        };
        self.world(|world| world.engines.registries.registry(domain).own = Some(own));
    }

    /// Adds an image under a name, one that does what the small image `like` does.
    pub fn add_image(&self, name: &str, like: &str) {
        let known = small_images().into_iter();
        let mut known = known.filter(|(known, _)| known.contains(&format!("/{like}:")));
        if let Some((_, image)) = known.next() {
            self.world(|world| world.engines.registries.add(name, image));
        }
    }

    /// Adds an image of nothing but busybox and its applets, under several names. It carries the
    /// first of them in a label, and has no date.
    pub fn add_bare_image(&self, names: &[&str], label: &str) {
        let first = names.first().copied().unwrap_or_default();
        for name in names {
            let image = Image::new(first, "", 2, Behaviour::Shell).with(System::Bare);
            let image = Image {
                labels: [(label.to_owned(), familiar(first).to_owned())].into(),
                created: Duration::ZERO,
                ..image
            };
            let image = image.sealed();
            self.world(|world| world.engines.registries.add(name, image));
        }
    }

    /// Adds a registry that has all images of MKE, by the name under which images are known.
    pub fn add_registry(&self, domain: &str) {
        let name = if domain == "docker.io" {
            "registry-1.docker.io"
        } else {
            domain
        };
        let host = name.split(':').next().unwrap_or(name);
        let pages = std::collections::BTreeMap::from([("/v2/".to_owned(), "{}".to_owned())]);
        if host.parse::<IpAddr>().is_err() {
            self.add_site(host, pages);
        }
        self.world(|world| {
            world.engines.registries.registry(domain).has_all_of_mke = true;
            for (name, image) in small_images() {
                world.engines.registries.add(&name, image);
            }
        });
    }
}
