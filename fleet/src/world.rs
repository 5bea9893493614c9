//! The fleet: all hosts and what is around them, behind one lock that is never held across an
//! `await`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::connection::{Cut, Traffic};
use crate::engine::Engines;
use crate::fault::Faults;
use crate::host::Host;
use crate::inside::Insides;
use crate::network::Network;
use crate::packages::Repository;
use crate::profile::Profile;
use crate::shell::Scripts;
use crate::snapshot::Breach;

/// A host, by its place in the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub usize);

/// Something that a host was asked for and that is not simulated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotSimulated {
    /// The name of the host.
    pub host: String,
    /// The program, or the construct of the shell.
    pub program: String,
    /// What of it is not known.
    pub what: String,
}

/// Everything that there is.
#[derive(Debug)]
pub struct World {
    /// The hosts, in the order in which they were made.
    pub hosts: Vec<Host>,
    /// Hosts in containers.
    pub(crate) insides: Insides,
    /// What is between them.
    pub network: Network,
    /// Package repositories outside of the fleet.
    pub repositories: Vec<Repository>,
    /// Whether what is not simulated is assumed where a user's hook asks for it: a package that
    /// nobody knows is one of the distribution, a program succeeds without effect.
    pub assumes: bool,
    /// What goes wrong.
    pub(crate) faults: Faults,
    /// Connections, with what cuts them.
    pub(crate) connections: Vec<(HostId, Cut)>,
    /// Is told when the way to a host changes, where doors are open.
    pub(crate) ways: Option<watch::Sender<u64>>,
    /// What hosts have sent and received.
    pub traffic: BTreeMap<HostId, Traffic>,
    /// Whether commands that only look are checked.
    pub(crate) audits: bool,
    /// Those that did not.
    pub(crate) breaches: Vec<Breach>,
    /// How many commands that may change something have ended on a host.
    pub(crate) changing: BTreeMap<HostId, u64>,
    /// What all engines share: swarms, registries.
    pub(crate) engines: Engines,
    /// Where chance comes from.
    pub(crate) rng: SmallRng,
    /// What was asked for and is not simulated.
    pub(crate) not_simulated: Vec<NotSimulated>,
    /// Profiles that were read.
    profiles: BTreeMap<String, Profile>,
    /// Scripts that were parsed, for all hosts that are sent the same.
    pub(crate) scripts: Scripts,
}

/// A handle of the fleet; cheap to clone.
#[derive(Debug, Clone)]
pub struct Fleet {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    world: Mutex<World>,
    seed: u64,
    started: Instant,
    /// Seconds since 1970 at the start.
    epoch: Duration,
}

impl Fleet {
    /// Makes a fleet without hosts. `epoch` is the time since 1970 at which it starts.
    pub fn new(seed: u64, epoch: Duration) -> Self {
        Self {
            inner: Arc::new(Inner {
                world: Mutex::new(World {
                    hosts: Vec::new(),
                    insides: Insides::default(),
                    network: Network::default(),
                    repositories: Vec::new(),
                    assumes: false,
                    faults: Faults::default(),
                    connections: Vec::new(),
                    ways: None,
                    traffic: BTreeMap::new(),
                    audits: false,
                    breaches: Vec::new(),
                    changing: BTreeMap::new(),
                    engines: Engines::default(),
                    rng: SmallRng::seed_from_u64(seed),
                    not_simulated: Vec::new(),
                    profiles: BTreeMap::new(),
                    scripts: Scripts::default(),
                }),
                seed,
                started: Instant::now(),
                epoch,
            }),
        }
    }

    /// Does something with the world, while nobody else does.
    pub fn world<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self
            .inner
            .world
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        work(&mut world)
    }

    /// Does something with a host or with one in a container, while nobody else does.
    pub fn host<T>(&self, host: HostId, work: impl FnOnce(&mut Host) -> T) -> T {
        self.world(|world| world.with_host(host, work))
    }

    /// Returns where chance comes from.
    pub fn seed(&self) -> u64 {
        self.inner.seed
    }

    /// Returns the time since 1970 at which the fleet started.
    pub fn epoch(&self) -> Duration {
        self.inner.epoch
    }

    /// Returns a profile, read once; `None` where there is none of that name.
    pub(crate) fn profile(&self, name: &str, machine: &str, written: Duration) -> Option<Profile> {
        self.world(|world| {
            let key = format!("{name} {machine}");
            if !world.profiles.contains_key(&key) {
                let profile = Profile::read(name, machine, written)?;
                world.profiles.insert(key.clone(), profile);
            }
            world.profiles.get(&key).cloned()
        })
    }

    /// Returns the time since the start of the fleet.
    pub fn elapsed(&self) -> Duration {
        self.inner.started.elapsed()
    }

    /// Returns the time since 1970, by the clock of a host.
    pub fn time_of(&self, host: HostId) -> Duration {
        let skew = self.host(host, |host| host.clock_skew);
        let now = self.inner.epoch + self.elapsed();
        if skew < 0.0 {
            now.saturating_sub(Duration::from_secs_f64(-skew))
        } else {
            now + Duration::from_secs_f64(skew)
        }
    }

    /// Takes note of something that is not simulated.
    pub fn note_not_simulated(&self, host: HostId, program: &str, what: &str) {
        self.world(|world| {
            let outside = world.outside_of(host);
            let one = NotSimulated {
                host: world.hosts[outside.0].name.clone(),
                program: program.to_owned(),
                what: what.to_owned(),
            };
            if !world.not_simulated.contains(&one) {
                world.not_simulated.push(one);
            }
        });
    }

    /// Returns everything that was asked for and is not simulated.
    pub fn not_simulated(&self) -> Vec<NotSimulated> {
        self.world(|world| world.not_simulated.clone())
    }
}
