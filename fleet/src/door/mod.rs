//! Doors: real SSH sockets of simulated hosts, on the loopback.
//!
//! Nothing in the fleet has a socket before [`Doors::open`] is called. Then each host has a server
//! of its own, that reads the accounts, keys and `sshd_config` of the host, and runs what it is
//! asked for among the hosts as the connections inside of the process do.
//!
//! | module | holds |
//! |---|---|
//! | `pace` | the thread of the hosts, and how fast their time goes |
//! | `settings` | `sshd_config` |
//! | `keys` | the keys of hosts |
//! | `account` | keys and passwords of the users who log in |
//! | `authorized` | `authorized_keys` |
//! | `login` | who may log in, and what he may do |
//! | `gate` | whether a host answers |
//! | `backlog` | what was sent and is not read yet |
//! | `wire` | byte streams with the latency of their link |
//! | `listen` | the listener of a host, and its limits |
//! | `room` | how many connections there may be |
//! | `serve` | what a server offers: algorithms, keys, methods |
//! | `visitor` | one connection |
//! | `channel` | one command or shell of a connection |
//! | `forward` | streams through a host to others |
//! | `api` | sockets of the API of MKE |
//! | `registries` | sockets of registries |
//! | `root` | commands of who owns the fleet |

mod account;
mod api;
mod authorized;
mod backlog;
mod channel;
mod converse;
mod forward;
mod gate;
mod keys;
mod listen;
mod login;
mod pace;
mod registries;
mod room;
mod root;
mod serve;
mod settings;
mod visitor;
mod wire;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

pub use russh::keys::PublicKey;
use russh::keys::ssh_key;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use account::AccountError;
pub use keys::{KeyKind, authority_of, halves_of, key_of, text_of};
pub use pace::{Pace, Simulation};
pub use registries::OpenedRegistry;
pub use root::{ProcessRow, Said};

use gate::Gate;
pub(crate) use gate::Reach;
use room::Refusals;

use crate::network::{Barred, Link, Place};
use crate::world::{Fleet, HostId};

/// How many may wait to be taken.
const BACKLOG: u32 = 1024;

/// Where doors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bind {
    /// Each host has an address of its own, below 127.0.0.0/8. Only Linux has them without being
    /// told.
    EachItsOwn,
    /// All hosts have one address, and a port each.
    All(IpAddr),
}

impl Bind {
    /// Returns the address at which a host is reached.
    pub fn address_of(self, host: HostId) -> IpAddr {
        match self {
            Self::EachItsOwn => own_address(host.0),
            Self::All(address) => address,
        }
    }
}

/// How doors are opened.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Where.
    pub bind: Bind,
    /// The port that is tried first where each host has its own address.
    pub port: u16,
    /// How many connections there may be in all.
    pub most: usize,
    /// How many connections one host may have.
    pub most_of_host: usize,
    /// Whether an authority signs the keys of the hosts.
    pub has_certificates: bool,
    /// The kinds of keys that hosts have.
    pub kinds: Vec<KeyKind>,
    /// The hosts whose API of MKE can be reached from outside, and the port of it among the hosts.
    pub apis: BTreeMap<HostId, u16>,
    /// Is told what happens that nobody else is told.
    pub notes: UnboundedSender<Note>,
}

/// Something that happened at a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The host.
    pub host: String,
    /// What happened.
    pub what: String,
}

/// Why doors stay closed.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// A host gets no socket.
    #[error("cannot open the door of {host} at {address}, after {opened} others")]
    Listen {
        /// The host.
        host: String,
        /// Where it should have been.
        address: SocketAddr,
        /// How many are open.
        opened: usize,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There are no keys.
    #[error("cannot make the keys of {host}")]
    Keys {
        /// The host.
        host: String,
        /// Why.
        #[source]
        source: ssh_key::Error,
    },
    /// The hosts are gone.
    #[error("the hosts do not answer")]
    Gone(#[source] io::Error),
}

/// A door that is open.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The host.
    pub host: HostId,
    /// Its name.
    pub name: String,
    /// Where its server listens.
    pub address: SocketAddr,
    /// The keys that it shows.
    pub keys: Vec<PublicKey>,
    /// Where its API of MKE is reached.
    pub api: Option<SocketAddr>,
}

/// What all doors share.
#[derive(Debug)]
struct House {
    fleet: Fleet,
    simulation: Simulation,
    notes: UnboundedSender<Note>,
    most: usize,
    most_of_host: usize,
    /// How many connections there are.
    connections: AtomicUsize,
    /// How many there ever were.
    count: AtomicU64,
    ways: watch::Receiver<u64>,
    doors: OnceLock<BTreeMap<HostId, Arc<Door>>>,
}

impl House {
    fn note(&self, host: &str, what: impl Into<String>) {
        // Nobody may be interested any more.
        let _ = self.notes.send(Note {
            host: host.to_owned(),
            what: what.into(),
        });
    }

    /// Returns where an address leads from a host.
    fn route(&self, from: HostId, name: &str) -> Result<Place, Barred> {
        self.fleet.world(|world| world.route(from, name))
    }

    /// Returns the link of a host, as long as it is outside.
    fn link_of(&self, host: HostId) -> Link {
        let link = self.fleet.host(host, |host| host.link);
        let pace = self.simulation.pace();
        let factor = match pace {
            Pace::Real => 1,
            Pace::Scaled(factor) => u64::from(factor.max(1)),
            Pace::Instant => u64::MAX,
        };
        Link {
            latency: pace.outside(link.latency),
            jitter: pace.outside(link.jitter),
            bandwidth: link.bandwidth.saturating_mul(factor),
        }
    }
}

/// The door of a host.
#[derive(Debug)]
struct Door {
    house: Arc<House>,
    host: HostId,
    name: String,
    address: SocketAddr,
    gate: Gate,
    /// How many connections there are.
    connections: AtomicUsize,
    /// How many of them have not logged in.
    strangers: AtomicUsize,
    /// How many were turned away, and why.
    refused: Refusals,
    /// How many terminals it has had.
    terminals: AtomicU64,
}

impl Door {
    fn note(&self, what: impl Into<String>) {
        self.house.note(&self.name, what);
    }

    fn note_refusal(&self, kind: &'static str, detail: impl std::fmt::Display) {
        if let Some(what) = self.refused.note(kind, detail) {
            self.note(what);
        }
    }

    fn reach(&self) -> Reach {
        self.house.fleet.host(self.host, |host| Reach::of(host))
    }
}

/// The doors of a fleet; they close when it is dropped.
#[derive(Debug)]
pub struct Doors {
    house: Arc<House>,
    opened: Vec<Opened>,
    registries: Vec<OpenedRegistry>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Doors {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        self.house.fleet.cut_all_connections();
    }
}

impl Doors {
    /// Opens the doors of all hosts and registries: makes their keys, and listens.
    ///
    /// # Errors
    ///
    /// Fails where a host gets no socket; then none is open.
    pub async fn open(
        fleet: &Fleet,
        simulation: &Simulation,
        opening: Opening,
    ) -> Result<Self, DoorError> {
        let (sender, ways) = watch::channel(0);
        let names = fleet.world(|world| {
            world.ways = Some(sender);
            let names = world.hosts.iter().map(|host| host.name.clone());
            names.collect::<Vec<_>>()
        });
        let house = Arc::new(House {
            fleet: fleet.clone(),
            simulation: simulation.clone(),
            notes: opening.notes.clone(),
            most: opening.most,
            most_of_host: opening.most_of_host,
            connections: AtomicUsize::new(0),
            count: AtomicU64::new(0),
            ways,
            doors: OnceLock::new(),
        });
        let wanted = keys::HostKeys {
            kinds: opening.kinds.clone(),
            has_certificates: opening.has_certificates,
        };
        let mut listeners = Vec::new();
        for (index, name) in names.into_iter().enumerate() {
            let host = HostId(index);
            keys::write_host_keys(fleet, host, &wanted).map_err(|source| DoorError::Keys {
                host: name.clone(),
                source,
            })?;
            let listener = first_listener(&opening, index, &name)?;
            let address = listener.local_addr().map_err(DoorError::Gone)?;
            let door = Arc::new(Door {
                house: Arc::clone(&house),
                host,
                name,
                address,
                gate: Gate::default(),
                connections: AtomicUsize::new(0),
                strangers: AtomicUsize::new(0),
                refused: Refusals::default(),
                terminals: AtomicU64::new(0),
            });
            listeners.push((door, listener));
        }
        let doors = listeners
            .iter()
            .map(|(door, _)| (door.host, Arc::clone(door)));
        // It was made a moment ago, and nobody else has it.
        let _ = house.doors.set(doors.collect());
        let mut opened = Vec::new();
        let mut tasks = Vec::new();
        let registries = registries::open(&house, opening.bind, listeners.len(), &mut tasks)?;
        for (door, listener) in listeners {
            let api = match opening.apis.get(&door.host) {
                Some(port) => Some(api::open(&door, *port, &mut tasks)?),
                None => None,
            };
            opened.push(Opened {
                api,
                host: door.host,
                name: door.name.clone(),
                address: door.address,
                keys: serve::public_keys(&door),
            });
            tasks.push(tokio::spawn(listen::keep(door, listener)));
        }
        Ok(Self {
            house,
            opened,
            registries,
            tasks,
        })
    }

    /// Returns the doors, in the order of the hosts.
    pub fn opened(&self) -> &[Opened] {
        &self.opened
    }

    /// Returns the registries, in the order of their names.
    pub fn registries(&self) -> &[OpenedRegistry] {
        &self.registries
    }

    /// Returns how many connections there are.
    pub fn connections(&self) -> usize {
        self.house.connections.load(Ordering::Relaxed)
    }
}

/// Returns the address that a host has where each has its own.
fn own_address(index: usize) -> IpAddr {
    let number = u32::try_from(index + 1).unwrap_or(u32::MAX) & 0x00ff_ffff;
    // 127.0.x.y are in use on some machines.
    let first = u32::from(Ipv4Addr::new(127, 77, 0, 0));
    Ipv4Addr::from(first.saturating_add(number)).into()
}

fn first_listener(opening: &Opening, index: usize, name: &str) -> Result<TcpListener, DoorError> {
    let address = opening.bind.address_of(HostId(index));
    let port = match opening.bind {
        Bind::EachItsOwn => opening.port,
        Bind::All(_) => 0,
    };
    let wanted = SocketAddr::new(address, port);
    let listener = match listen_at(wanted) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && port != 0 => {
            listen_at(SocketAddr::new(address, 0))
        }
        other => other,
    };
    listener.map_err(|source| DoorError::Listen {
        host: name.to_owned(),
        address: wanted,
        opened: index,
        source,
    })
}

fn listen_at(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
