//! Container engines, swarms, registries.
//!
//! Everything here happens lazily: what takes time puts an event into one queue, and whoever enters
//! ([`enter`]) first lets happen what was due before. While nobody asks, nothing runs. Nothing
//! waits while it holds the world: an operation that takes time is a time in its answer, or an
//! event.
//!
//! | module | holds |
//! |---|---|
//! | [`archive`] | archives of images |
//! | [`around`] | what engines ask of their hosts and of the network |
//! | [`api`] | the HTTP API on the socket of an engine |
//! | [`build`] | what engines say of themselves |
//! | [`container`] | containers, their states and logs |
//! | [`disk`] | the files of an engine on its host |
//! | [`firewall`] | the rules of the firewall of a host |
//! | [`image`] | images and their names |
//! | [`lifecycle`] | what can be done with containers |
//! | [`links`] | interfaces that engines make |
//! | [`mke`] | MKE: its containers, driven over this engine; its HTTPS API |
//! | [`msr`] | MSR: its bootstrapper and the containers of its replicas |
//! | [`names`] | ids, names, times and sizes as docker shows them |
//! | [`network`], [`volume`] | networks and volumes |
//! | [`power`] | starting and stopping engines |
//! | [`process`] | processes of containers |
//! | [`pull`] | pulling images, logging in |
//! | [`push`] | pushing images |
//! | [`queue`] | what is due when |
//! | [`registry`] | registries |
//! | [`root`] | the file systems of images |
//! | [`settings`] | `daemon.json` |
//! | [`show`] | documents: what `inspect` and the API show |
//! | [`swarm`] | swarms: raft, nodes, services, tasks |
//! | [`template`] | the templates of `--format` |
//! | [`value`] | values as docker shows them |

pub(crate) mod api;
pub(crate) mod archive;
pub(crate) mod around;
pub(crate) mod build;
pub(crate) mod container;
pub(crate) mod disk;
pub(crate) mod firewall;
pub(crate) mod image;
pub(crate) mod lifecycle;
pub(crate) mod links;
pub(crate) mod mke;
pub(crate) mod msr;
pub(crate) mod names;
pub(crate) mod network;
pub(crate) mod power;
pub(crate) mod process;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod queue;
pub(crate) mod registry;
pub(crate) mod root;
pub(crate) mod seam;
pub(crate) mod settings;
pub(crate) mod show;
pub(crate) mod swarm;
pub(crate) mod template;
pub(crate) mod value;
pub(crate) mod volume;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use build::Build;
pub(crate) use firewall::of_host as rules_without_engine;
pub use seam::Quorum;
pub(crate) use seam::{
    Listener, ask, dial, fetch, hang, kill, listening, lose_power, network_changed, site_changed,
    site_slows, start, stop, time_to_stop,
};
pub(crate) use standin::engine::Refusal;

use crate::world::{Fleet, HostId, World};
use container::Container;
use image::Images;
use network::Network;
use settings::Settings;
use volume::Volume;

/// What all engines share.
#[derive(Debug, Default)]
pub(crate) struct Engines {
    /// The time since 1970 at which the fleet was started.
    pub(crate) epoch: Duration,
    /// All registries.
    pub(crate) registries: registry::Registries,
    /// What registries show to clients that are no engines of the fleet.
    pub(crate) fronts: registry::serve::Fronts,
    /// The images that were put into archives, by their ids.
    pub(crate) saved: BTreeMap<String, std::sync::Arc<image::Image>>,
    /// All swarms that were ever made.
    pub(crate) swarms: Vec<swarm::Swarm>,
    /// What is due when.
    pub(crate) queue: queue::Queue,
    /// Builds that are not those of Mirantis, by version.
    pub(crate) builds: BTreeMap<String, Build>,
    /// The processes of MKE.
    pub(crate) actors: mke::Actors,
    /// Faults of MKE for the next bootstrapper: variables of its environment.
    pub(crate) faults: BTreeMap<String, String>,
    /// The file trees of images, by what is in them.
    pub(crate) trees: BTreeMap<String, crate::files::Files>,
    /// Processes of containers that are to start.
    pub(crate) births: Vec<process::Birth>,
    /// Who is attached to the next process of a container.
    pub(crate) attached: BTreeMap<(HostId, String), process::Attached>,
    /// Wakes those who wait for a container.
    pub(crate) changes: std::sync::Arc<tokio::sync::Notify>,
    /// The hosts on which something has changed that agents look at.
    touched: BTreeSet<HostId>,
}

/// The engine of a host.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Engine {
    /// Its version, like `25.0.9`.
    pub(crate) version: String,
    /// Whether it runs.
    pub(crate) is_running: bool,
    /// Whether it takes requests and answers none.
    pub(crate) hangs: bool,
    /// When it was started.
    pub(crate) started: Duration,
    /// What it was started with.
    pub(crate) settings: Settings,
    /// Its id.
    pub(crate) id: String,
    /// Its containers, by their ids.
    pub(crate) containers: BTreeMap<String, Container>,
    /// Its images.
    pub(crate) images: Images,
    /// Its volumes, by their names.
    pub(crate) volumes: BTreeMap<String, Volume>,
    /// Its networks, by their names.
    pub(crate) networks: BTreeMap<String, Network>,
    /// The swarm that it is in.
    pub(crate) membership: Option<Membership>,
}

/// Which node of which swarm an engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Membership {
    /// The swarm, by its place in [`Engines::swarms`].
    pub(crate) swarm: usize,
    /// The id of the node.
    pub(crate) node: String,
    /// When the engine takes part in it, after it was started.
    pub(crate) from: Duration,
}

impl Engine {
    /// Returns whether it answers.
    pub(crate) fn is_answering(&self) -> bool {
        self.is_running && !self.hangs
    }

    /// Finds a container by name, id or the beginning of an id.
    pub(crate) fn find(&self, text: &str) -> Option<&Container> {
        let name = text.strip_prefix('/').unwrap_or(text);
        if let Some(found) = self.containers.get(text) {
            return Some(found);
        }
        let mut named = self.containers.values();
        if let Some(found) = named.find(|one| one.name == name) {
            return Some(found);
        }
        let mut alike = self
            .containers
            .values()
            .filter(|one| one.id.starts_with(text));
        let first = alike.next().filter(|_| !text.is_empty());
        first.filter(|_| alike.next().is_none())
    }
}

/// Enters the world: lets everything happen that was due, then does some work.
pub(crate) fn enter<T>(fleet: &Fleet, work: impl FnOnce(&mut World, Duration) -> T) -> T {
    let (now, epoch) = (fleet.elapsed(), fleet.epoch());
    let (result, births) = fleet.world(|world| {
        world.engines.epoch = epoch;
        queue::catch_up(world, now);
        let result = work(world, now);
        queue::settle(world, now);
        debug_assert!(
            swarm::raft::is_settled(world, now),
            "a change was not told to the swarms"
        );
        (result, std::mem::take(&mut world.engines.births))
    });
    for birth in births {
        process::begin(fleet, birth);
    }
    result
}

/// Moves a time by seconds, not below nothing.
fn shifted(time: Duration, seconds: f64) -> Duration {
    if seconds < 0.0 {
        time.saturating_sub(Duration::from_secs_f64(-seconds))
    } else {
        time + Duration::from_secs_f64(seconds)
    }
}

/// Makes a refusal of the engine.
pub(crate) fn refusal(status: u16, message: impl Into<String>) -> Refusal {
    Refusal {
        status: Some(status),
        message: message.into(),
    }
}

impl World {
    /// Returns how the engine of a version was built.
    pub(crate) fn build(&self, version: &str) -> Build {
        let known = self.engines.builds.get(version).cloned();
        known.unwrap_or_else(|| Build::of(version))
    }

    /// Returns the engine of a host.
    pub(crate) fn engine(&self, host: HostId) -> &Engine {
        &self.hosts[host.0].engine
    }

    /// Returns the engine of a host.
    pub(crate) fn engine_mut(&mut self, host: HostId) -> &mut Engine {
        &mut self.hosts[host.0].engine
    }

    /// Returns a time since 1970 by the clock of a host, from one since the start of the fleet.
    pub(crate) fn wall(&self, host: HostId, time: Duration) -> Duration {
        shifted(self.engines.epoch + time, self.hosts[host.0].clock_skew)
    }

    /// Takes note that something has changed that the agents of a host look at.
    pub(crate) fn touch(&mut self, host: HostId) {
        self.engines.touched.insert(host);
    }

    /// Takes note of something that is not simulated.
    pub(crate) fn note_not_simulated(&mut self, host: HostId, program: &str, what: &str) {
        let one = crate::world::NotSimulated {
            host: self.hosts[host.0].name.clone(),
            program: program.to_owned(),
            what: what.to_owned(),
        };
        if !self.not_simulated.contains(&one) {
            self.not_simulated.push(one);
        }
    }
}
