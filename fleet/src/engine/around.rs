//! What engines ask of their hosts and of the network.

use std::net::IpAddr;

use super::registry::{Caller, Login, Reach, host_and_port};
use crate::network::{Barred, Place};
use crate::world::{HostId, World};

/// Returns the address by which a host is known to others.
pub(crate) fn address(world: &World, host: HostId) -> String {
    let address = world.hosts[host.0].address();
    address
        .map(|address| address.to_string())
        .unwrap_or_default()
}

/// Returns the address of an interface of a host, or an address that the host has.
pub(crate) fn own_address(world: &World, host: HostId, text: &str) -> Option<String> {
    let host = &world.hosts[host.0];
    if let Ok(address) = text.parse::<IpAddr>() {
        return host.has_address(address).then(|| address.to_string());
    }
    let interface = host.interfaces.iter().find(|one| one.name == text)?;
    let (address, _) = interface.addresses.first()?;
    Some(address.to_string())
}

/// Returns the host that another one reaches under an address or a name.
pub(crate) fn host_with(world: &World, from: HostId, name: &str) -> Option<HostId> {
    match world.route(from, name) {
        Ok(Place::Here) => Some(from),
        Ok(Place::Host(host)) => Some(host),
        Ok(Place::Site(_)) | Err(_) => None,
    }
}

/// Returns whether a host has power, has booted, and is not frozen.
pub(crate) fn is_up(world: &World, host: HostId) -> bool {
    world.hosts[host.0].is_up()
}

/// Returns whether packets of one host arrive at another.
pub(crate) fn is_connected(world: &World, from: HostId, to: HostId) -> bool {
    let [one, other] = [from, to].map(|host| &world.hosts[host.0]);
    from == to
        || one.is_up()
            && other.is_up()
            && one.is_connected()
            && other.is_connected()
            && world.network.connects(from, to)
}

/// Returns what a host is like for a registry that it asks.
pub(crate) fn caller<'a>(
    world: &World,
    host: HostId,
    domain: &str,
    login: Option<&'a Login>,
) -> Caller<'a> {
    let (name, _) = host_and_port(domain);
    Caller {
        is_insecure: world.engine(host).settings.is_insecure(domain),
        reach: reach(world, host, name),
        trusts: trusts(world, host, domain),
        login,
    }
}

/// Returns how a host reaches a registry. One that is no site of the network is outside of it.
pub(crate) fn reach(world: &World, host: HostId, name: &str) -> Reach {
    let is_known = world.network.sites.contains_key(name)
        || world.host_named(name).is_some()
        || name.parse::<IpAddr>().is_ok();
    if !is_known {
        let is_cut =
            world.network.without_outside.contains(&host) || !world.hosts[host.0].is_connected();
        return if is_cut { Reach::Timeout } else { Reach::Yes };
    }
    match world.route(host, name) {
        Ok(_) => Reach::Yes,
        Err(Barred::NoName) => Reach::NoSuchHost,
        Err(Barred::Refused) => Reach::Refused,
        Err(Barred::NoRoute | Barred::Silent) => Reach::Timeout,
    }
}

/// Returns whether a host was told about the authority of a registry.
pub(crate) fn trusts(world: &World, host: HostId, domain: &str) -> bool {
    let files = &world.hosts[host.0].files;
    let directory = format!("/etc/docker/certs.d/{domain}");
    let names = files.list(&directory, &crate::files::Credentials::root());
    let is_authority = |name: &String| name.ends_with(".crt");
    names.is_ok_and(|names| names.iter().any(is_authority))
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
