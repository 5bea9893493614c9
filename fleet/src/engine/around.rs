//! What engines ask of their hosts and of the network.

use std::collections::{BTreeMap, BTreeSet};

use super::registry::Reach;
use crate::world::{HostId, World};

/// Where hosts are, as far as nobody else knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Around {
    /// The addresses of hosts.
    pub(crate) addresses: BTreeMap<HostId, String>,
    /// Pairs of hosts that do not reach each other, the smaller one first.
    pub(crate) cuts: BTreeSet<(HostId, HostId)>,
    /// Hosts without power.
    pub(crate) off: BTreeSet<HostId>,
}

/// What a host is made of, as far as its engine tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    /// How many processors it has.
    pub(crate) processors: u32,
    /// How much memory it has, in bytes.
    pub(crate) memory: u64,
    /// The release of its kernel.
    pub(crate) kernel: String,
}

/// Returns what a host is made of.
pub(crate) fn machine(_: &World, _: HostId) -> Machine {
    Machine {
        processors: 4,
        memory: 16 << 30,
        kernel: "6.1.0-28-amd64".to_owned(),
    }
}

/// Returns the address by which a host is known to others.
pub(crate) fn address(world: &World, host: HostId) -> String {
    let known = world.engines.around.addresses.get(&host).cloned();
    known.unwrap_or_else(|| format!("10.0.{}.{}", host.0 / 250, host.0 % 250 + 1))
}

/// Returns the address of an interface of a host, or an address that the host has.
pub(crate) fn own_address(world: &World, host: HostId, text: &str) -> Option<String> {
    let own = address(world, host);
    let is_own = text == own || ["eth0", "ens3", "0.0.0.0"].contains(&text);
    is_own.then_some(own)
}

/// Returns the host that has an address.
pub(crate) fn host_with(world: &World, address_of: &str) -> Option<HostId> {
    let mut hosts = (0..world.hosts.len()).map(HostId);
    hosts.find(|&host| address(world, host) == address_of || world.hosts[host.0].name == address_of)
}

/// Returns whether a host has power and has booted.
pub(crate) fn is_up(world: &World, host: HostId) -> bool {
    !world.engines.around.off.contains(&host)
}

/// Returns whether packets of one host arrive at another.
pub(crate) fn is_connected(world: &World, from: HostId, to: HostId) -> bool {
    let pair = (from.min(to), from.max(to));
    from == to
        || is_up(world, from) && is_up(world, to) && !world.engines.around.cuts.contains(&pair)
}

/// Returns how a host reaches a name on the internet or in its network.
pub(crate) fn reach(_: &World, _: HostId, _name: &str, _port: u16) -> Reach {
    Reach::Yes
}

/// Returns whether the trust store of a host has the authority of a registry.
pub(crate) fn trusts(world: &World, host: HostId, domain: &str) -> bool {
    let files = &world.hosts[host.0].files;
    files.exists(&format!("/etc/docker/certs.d/{domain}/ca.crt"))
}

/// Returns the pretty name of the system of a host, and its version.
pub(crate) fn system(world: &World, host: HostId) -> (String, String) {
    let text = world.hosts[host.0].files.text("/etc/os-release");
    let text = text.unwrap_or_default();
    let value = |key: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        let found = lines.find(|(name, _)| *name == key);
        found.map(|(_, value)| value.trim_matches('"').to_owned())
    };
    let name = value("PRETTY_NAME").unwrap_or_else(|| "Linux".to_owned());
    (name, value("VERSION_ID").unwrap_or_default())
}
