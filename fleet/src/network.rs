//! The network: interfaces of hosts, names, sites outside of the fleet, and who reaches whom.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::files::Credentials;
use crate::host::Host;
use crate::world::{HostId, World};

/// How many hosts are named to somebody who has named one that there is not.
const MOST_NAMED: usize = 12;

/// An interface of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name (`eth0`).
    pub name: String,
    /// Its index.
    pub index: u32,
    /// Its hardware address.
    pub mac: String,
    /// Its addresses, with the length of their prefix.
    pub addresses: Vec<(IpAddr, u8)>,
    /// Its greatest packet.
    pub mtu: u32,
    /// Whether it is up.
    pub is_up: bool,
    /// The index of its other end, where it is one end of a pair.
    pub peer: Option<u32>,
    /// Whether software on the host has made it: bridges of engines, and what hangs on them.
    pub is_virtual: bool,
}

/// What a host, or the machine that launchpad runs on, is connected by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// How long a packet takes, one way.
    pub latency: Duration,
    /// By how much longer it may take. Only real sockets have it.
    pub jitter: Duration,
    /// Bytes per second.
    pub bandwidth: u64,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            latency: Duration::from_micros(250),
            jitter: Duration::ZERO,
            bandwidth: 110 << 20,
        }
    }
}

impl Link {
    /// Returns what two links, one behind the other, are together.
    pub(crate) fn then(self, next: Self) -> Self {
        Self {
            latency: self.latency + next.latency,
            jitter: self.jitter + next.jitter,
            bandwidth: self.bandwidth.min(next.bandwidth),
        }
    }
}

/// How a site behaves: a package repository, a registry, any server outside of the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// It answers.
    Up,
    /// Nothing listens.
    Down,
    /// Packets vanish.
    Silent,
    /// It answers all requests with this status.
    Status(u16),
}

/// A server outside of the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its address.
    pub address: IpAddr,
    /// How it behaves.
    pub condition: Condition,
    /// Bytes per second that it sends to one client.
    pub bandwidth: u64,
    /// Whether its certificate is signed by an authority that hosts know.
    pub is_trusted: bool,
    /// What it serves: text by path.
    pub pages: BTreeMap<String, String>,
}

/// Everything between hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// Sites by name.
    pub sites: BTreeMap<String, Site>,
    /// Pairs of hosts that do not reach each other, the lower number first.
    pub cut: BTreeSet<(HostId, HostId)>,
    /// Hosts that reach no site.
    pub without_outside: BTreeSet<HostId>,
    /// Whether names of sites resolve.
    pub has_dns: bool,
}

/// Where a name or an address leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The host itself.
    Here,
    /// Another host.
    Host(HostId),
    /// A site, by its name.
    Site(String),
}

/// Why something cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barred {
    /// The name does not resolve.
    NoName,
    /// There is no way to the address.
    NoRoute,
    /// Nothing answers.
    Silent,
    /// Nothing listens.
    Refused,
}

impl Network {
    /// Returns whether two hosts reach each other, as far as cables go.
    pub fn connects(&self, one: HostId, other: HostId) -> bool {
        one == other || !self.cut.contains(&(one.min(other), one.max(other)))
    }

    /// Cuts the way between two hosts, or mends it.
    pub fn set_cut(&mut self, one: HostId, other: HostId, is_cut: bool) {
        let pair = (one.min(other), one.max(other));
        if is_cut {
            self.cut.insert(pair);
        } else {
            self.cut.remove(&pair);
        }
    }
}

impl Host {
    /// Adds an interface, in the order of their numbers.
    pub(crate) fn add_interface(&mut self, interface: Interface, now: Duration) {
        self.show_interface(&interface, now);
        let number = interface.index;
        let place = self.interfaces.iter().position(|one| one.index > number);
        let place = place.unwrap_or(self.interfaces.len());
        self.interfaces.insert(place, interface);
    }

    /// Shows an interface as the kernel does, below `/sys`.
    pub(crate) fn show_interface(&mut self, interface: &Interface, now: Duration) {
        let root = Credentials::root();
        let path = format!("/sys/class/net/{}", interface.name);
        let state = if interface.name == "lo" {
            "unknown"
        } else {
            "up"
        };
        // The directory above is part of every profile.
        let _ = self.files.make_dirs(&path, 0o755, &root, now);
        for (name, text) in [
            ("operstate", format!("{state}\n")),
            ("mtu", format!("{}\n", interface.mtu)),
            ("address", format!("{}\n", interface.mac)),
        ] {
            let _ = self
                .files
                .write(&format!("{path}/{name}"), text, 0o444, &root, now);
        }
    }

    /// Takes an interface that software has made away; returns whether it was there.
    pub(crate) fn remove_interface(&mut self, name: &str) -> bool {
        let before = self.interfaces.len();
        self.interfaces.retain(|one| one.name != name);
        self.routes.retain(|route| route.interface != name);
        let path = format!("/sys/class/net/{name}");
        // The kernel shows what is there; a path that is gone already is as good.
        let _ = self
            .files
            .remove_tree(&path, &Credentials::root(), Duration::ZERO);
        self.interfaces.len() < before
    }
}

impl World {
    /// Returns the address of a name, as a host resolves it: `/etc/hosts`, then DNS.
    pub fn resolve(&self, from: HostId, name: &str) -> Option<IpAddr> {
        if let Ok(address) = name.parse() {
            return Some(address);
        }
        let host = self.hosts.get(from.0)?;
        let lines = host.files.text("/etc/hosts").unwrap_or_default();
        for line in lines.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let address = words.next().and_then(|word| word.parse().ok());
            if let (Some(address), true) = (address, words.any(|word| word == name)) {
                return Some(address);
            }
        }
        if name == "localhost" {
            return Some(IpAddr::from([127, 0, 0, 1]));
        }
        if !self.network.has_dns {
            return None;
        }
        let other = self.host_named(name).map(|host| &self.hosts[host.0]);
        let site = || self.network.sites.get(name).map(|site| site.address);
        other.and_then(Host::address).or_else(site)
    }

    /// Returns the host that has a name: the whole of it, else its first label. So `m1.one.lab` and
    /// `m1.two.lab` may be two hosts.
    pub fn host_named(&self, name: &str) -> Option<HostId> {
        let mut hosts = self.hosts.iter();
        let is_whole =
            |host: &Host| host.name == name || host.aliases.iter().any(|one| one == name);
        let whole = hosts.position(is_whole);
        let label = name.split('.').next().unwrap_or_default();
        let found = whole.or_else(|| self.hosts.iter().position(|host| host.name == label));
        found.map(HostId)
    }

    /// Returns the host that an address or a name leads to, whatever is in between.
    pub fn host_at(&self, address: &str) -> Option<HostId> {
        let Ok(ip) = address.parse() else {
            return self.host_named(address);
        };
        let found = self.hosts.iter().position(|host| host.has_address(ip));
        found.map(HostId)
    }

    /// Names the hosts for somebody who has named one that there is not; not all of many.
    pub fn some_hosts(&self) -> String {
        let names = self.hosts.iter().map(|host| host.name.as_str());
        let named: Vec<&str> = names.take(MOST_NAMED).collect();
        match self.hosts.len() - named.len() {
            0 => named.join(", "),
            more => format!("{} and {more} more", named.join(", ")),
        }
    }

    /// Returns where an address leads from a host, if packets get there.
    ///
    /// # Errors
    ///
    /// Fails where they do not.
    pub fn route(&self, from: HostId, name: &str) -> Result<Place, Barred> {
        let address = self.resolve(from, name).ok_or(Barred::NoName)?;
        let source = self.hosts.get(from.0).ok_or(Barred::NoRoute)?;
        if address.is_loopback() || source.has_address(address) {
            return Ok(Place::Here);
        }
        if !source.is_connected() {
            return Err(Barred::NoRoute);
        }
        let found = self.hosts.iter().position(|host| host.has_address(address));
        if let Some(index) = found {
            let other = &self.hosts[index];
            let reaches = self.network.connects(from, HostId(index));
            return match reaches && other.is_connected() && other.is_up() {
                true => Ok(Place::Host(HostId(index))),
                false => Err(Barred::Silent),
            };
        }
        let site = self.network.sites.iter();
        let mut site = site.filter(|(known, site)| site.address == address || *known == name);
        match site.next() {
            Some(_) if self.network.without_outside.contains(&from) => Err(Barred::Silent),
            Some((_, site)) if site.condition == Condition::Silent => Err(Barred::Silent),
            Some((_, site)) if site.condition == Condition::Down => Err(Barred::Refused),
            Some((name, _)) => Ok(Place::Site(name.clone())),
            None => Err(Barred::Silent),
        }
    }
}
