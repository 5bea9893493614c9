//! A fleet that matches a configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use config::{Config, Connection, Host, Role};
use fleet::Fleet;
use fleet::build::HostSpec;
use fleet::scenario::Scenario;

/// Why there is no fleet for a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The place in the configuration (`spec.hosts[2]`); empty for the scenario.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

/// Builds a fleet of bare hosts that matches a configuration, and everything around it.
///
/// # Errors
///
/// Fails with everything that cannot be simulated; nothing is simulated half.
pub fn fleet_of(
    config: &Config,
    scenario: &Scenario,
    seed: u64,
    epoch: Duration,
) -> Result<Fleet, Vec<Problem>> {
    let fleet = Fleet::new(seed, epoch);
    let mut problems = Vec::new();
    let mut taken = BTreeSet::new();
    let mut counts = BTreeMap::new();
    for host in &config.hosts {
        let count = counts.entry(host.role).or_insert(0);
        *count += 1;
        match spec_of(host, *count, scenario, &mut taken) {
            Ok(spec) => {
                if let Err(error) = fleet.add_host(&spec) {
                    problems.push(problem(host, error.to_string()));
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    add_bastions(config, &fleet);
    add_outside(config, &fleet);
    if problems.is_empty()
        && let Err(error) = scenario.check(&fleet)
    {
        problems.push(Problem {
            path: String::new(),
            message: error.to_string(),
        });
    }
    if problems.is_empty() {
        Ok(fleet)
    } else {
        Err(problems)
    }
}

fn problem(host: &Host, message: String) -> Problem {
    Problem {
        path: host.path(),
        message,
    }
}

fn spec_of(
    host: &Host,
    count: u32,
    scenario: &Scenario,
    taken: &mut BTreeSet<String>,
) -> Result<HostSpec, Problem> {
    let (user, address) = match &host.connection {
        Connection::Ssh(ssh) => (ssh.user.clone(), ssh.address.clone()),
        Connection::OpenSsh(ssh) => (ssh.user.clone(), ssh.address.clone()),
        Connection::Localhost(_) => (Some("root".to_owned()), "localhost".to_owned()),
        Connection::WinRm(_) => {
            let message = "hosts with Windows cannot be rehearsed yet".to_owned();
            return Err(problem(host, message));
        }
    };
    let number = host.index as u32 + 1;
    let ip = address.parse::<IpAddr>().ok();
    let own = Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 213, 0, 0)) + number);
    let mut name = match ip {
        Some(_) => format!("{}{count}", letter(host.role)),
        None => address.split('.').next().unwrap_or(&address).to_owned(),
    };
    while !taken.insert(name.clone()) {
        name.push('x');
    }
    let mut spec = HostSpec::new(&name, ip.unwrap_or(own.into()));
    spec.aliases = vec![address.clone()];
    spec.login = user.unwrap_or_else(|| "root".to_owned());
    if let Some(interface) = &host.private_interface
        && interface != "eth0"
    {
        let private = Ipv4Addr::from(u32::from(Ipv4Addr::new(172, 20, 0, 0)) + number);
        spec.addresses.push((interface.clone(), private.into(), 16));
    }
    let traits = scenario.traits_of(&[&address, &name]);
    if let Some(traits) = traits {
        if let Some(os) = &traits.os {
            spec.profile.clone_from(os);
        }
        if let Some(architecture) = traits.architecture {
            architecture.machine().clone_into(&mut spec.machine);
        }
        spec.init = traits.init.map_or(spec.init, Into::into);
        spec.selinux = traits.selinux.map(Into::into);
        spec.is_fips = traits.fips;
        spec.is_registered = traits.subscription.unwrap_or(true);
        spec.disk = traits.disk.map_or(spec.disk, |size| size.0);
        spec.memory_kib = traits.memory.map_or(spec.memory_kib, |size| size.0 / 1024);
        spec.processors = traits.processors.unwrap_or(spec.processors);
        spec.sudo = traits.sudo.map_or(spec.sudo, Into::into);
    }
    Ok(spec)
}

fn letter(role: Role) -> char {
    match role {
        Role::Manager => 'm',
        Role::Worker => 'w',
        Role::Msr => 'r',
    }
}

/// Bastions are hosts, too; those that are no host of the configuration are added.
fn add_bastions(config: &Config, fleet: &Fleet) {
    let mut number = 0;
    for host in &config.hosts {
        let Connection::Ssh(ssh) = &host.connection else {
            continue;
        };
        let mut next = ssh.bastion.as_deref();
        while let Some(bastion) = next {
            let known = fleet.world(|world| world.host_at(&bastion.address));
            if known.is_none() {
                number += 1;
                let own = Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 214, 0, 0)) + number);
                let ip = bastion.address.parse().unwrap_or(own.into());
                let mut spec = HostSpec::new(&format!("bastion{number}"), ip);
                spec.aliases = vec![bastion.address.clone()];
                // Its address is that of no other host: it was looked for a moment ago.
                let _ = fleet.add_host(&spec);
            }
            next = bastion.bastion.as_deref();
        }
    }
}

fn add_outside(config: &Config, fleet: &Fleet) {
    fleet.add_archive();
    fleet.add_engine_repository(&config.mcr.repo_url, &config.mcr.channel);
    fleet.add_engine_channels(&config.mcr.repo_url);
    let repository = &config.mke.image_repo;
    let first = repository.split('/').next().unwrap_or_default();
    let is_host = first.contains(['.', ':']) || first == "localhost";
    fleet.add_registry(if is_host { first } else { "docker.io" });
}
