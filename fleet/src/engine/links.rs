//! The interfaces that an engine makes on its host: a bridge for each network, and one end of a
//! pair for each container on it.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::container::Container;
use super::network::Network;
use super::{firewall, names};
use crate::host::{Host, Route};
use crate::network::Interface;
use crate::world::{HostId, World};

/// The begin of the names of ends of pairs.
const PAIR: &str = "veth";

/// Makes the interfaces of a host as its engine has them. One that does not run leaves its bridges
/// as they are.
pub(crate) fn look(world: &mut World, host: HostId, now: Duration) {
    let wall = world.wall(host, now);
    let engine = world.engine(host);
    let alive = |network: &Network| {
        let containers = engine.containers.values();
        let on_it = containers.filter(|one| one.state.status.is_alive() && is_on(one, network));
        on_it.map(|one| one.id.clone()).collect::<Vec<String>>()
    };
    let is_member = engine.membership.is_some();
    let bridges = engine
        .networks
        .values()
        .filter(|one| one.driver == "bridge");
    let mut bridges: Vec<(String, String, Vec<String>)> = bridges
        .filter_map(|network| {
            let subnet = network.subnet.clone()?;
            let mut ends = alive(network);
            if network.name == "docker_gwbridge" && is_member {
                ends.push(network.id.clone());
            }
            Some((bridge_of(network), subnet, ends))
        })
        .collect();
    bridges.sort_by(|(one, ..), (other, ..)| {
        (one != "docker0", one).cmp(&(other != "docker0", other))
    });
    let is_running = engine.is_running;
    let ends: Vec<String> = bridges
        .iter()
        .filter(|_| is_running)
        .flat_map(|(.., ends)| ends)
        .map(|id| format!("{PAIR}{}", id.get(..7).unwrap_or(id)))
        .collect();
    let host = &mut world.hosts[host.0];
    let gone = host.interfaces.iter().filter(|one| {
        let is_bridge = one.is_virtual && !one.name.starts_with(PAIR);
        let is_known = bridges.iter().any(|(name, ..)| *name == one.name);
        one.name.starts_with(PAIR) && !ends.contains(&one.name)
            || is_running && is_bridge && !is_known
    });
    let gone: Vec<String> = gone.map(|one| one.name.clone()).collect();
    for name in gone {
        host.remove_interface(&name);
    }
    for (name, subnet, ends) in &bridges {
        if is_running {
            add_bridge(host, name, subnet, wall);
        }
        if let Some(bridge) = host.interfaces.iter_mut().find(|one| one.name == *name) {
            bridge.is_up = is_running && !ends.is_empty();
        }
    }
    if is_running {
        let pairs = bridges.iter();
        let pairs = pairs.map(|(name, subnet, _)| (name.as_str(), subnet.as_str()));
        host.firewall = firewall::of_engine(host, &pairs.collect::<Vec<_>>());
    }
    for name in ends {
        if !host.interfaces.iter().any(|one| one.name == name) {
            let index = next_index(host);
            let mac = format!("{:02x}:{:02x}:9c:1f:20:0a", 0x3a, index & 0xff);
            let end = made(&name, index, &mac, Some(index + 1));
            host.add_interface(end, wall);
        }
    }
}

/// Takes away all that an engine has made: the host has lost its power.
pub(crate) fn forget(world: &mut World, host: HostId) {
    let host = &mut world.hosts[host.0];
    let made = host.interfaces.iter().filter(|one| one.is_virtual);
    let made: Vec<String> = made.map(|one| one.name.clone()).collect();
    for name in made {
        host.remove_interface(&name);
    }
    host.firewall = firewall::of_host(host);
}

fn is_on(container: &Container, network: &Network) -> bool {
    match container.spec.network.as_str() {
        "" | "default" => network.name == "bridge",
        name => network.name == name,
    }
}

/// Returns the name of the interface of a network.
pub(crate) fn bridge_of(network: &Network) -> String {
    match network.name.as_str() {
        "bridge" => "docker0".to_owned(),
        "docker_gwbridge" => "docker_gwbridge".to_owned(),
        _ => format!("br-{}", names::short(&network.id)),
    }
}

fn add_bridge(host: &mut Host, name: &str, subnet: &str, wall: Duration) {
    if host.interfaces.iter().any(|one| one.name == name) {
        return;
    }
    let (base, prefix) = subnet.split_once('/').unwrap_or((subnet, "16"));
    let (Ok(base), Ok(prefix)) = (base.parse::<Ipv4Addr>(), prefix.parse::<u8>()) else {
        return;
    };
    let address = IpAddr::from(Ipv4Addr::from(u32::from(base) | 1));
    let index = next_index(host);
    let mac = format!("02:42:{:02x}:5c:11:7e", index & 0xff);
    let bridge = Interface {
        addresses: vec![(address, prefix)],
        is_up: false,
        ..made(name, index, &mac, None)
    };
    host.add_interface(bridge, wall);
    host.routes.push(Route {
        destination: subnet.to_owned(),
        gateway: None,
        interface: name.to_owned(),
        source: Some(address),
    });
}

fn made(name: &str, index: u32, mac: &str, peer: Option<u32>) -> Interface {
    Interface {
        name: name.to_owned(),
        index,
        mac: mac.to_owned(),
        addresses: Vec::new(),
        mtu: 1500,
        is_up: true,
        peer,
        is_virtual: true,
    }
}

/// The interface of a container is counted on the machine outside; its own are counted from 1.
fn next_index(host: &Host) -> u32 {
    let own = host.interfaces.iter();
    let own = own.filter(|one| one.is_virtual || one.peer.is_none());
    own.map(|one| one.index).max().unwrap_or(1) + 1
}
