//! Scenarios: what hosts are like and what goes wrong, as YAML.
//!
//! ```yaml
//! hosts:
//! - host: 10.0.0.2        # address or name, as in the configuration
//!   os: ubuntu-24.04
//!   disk: 20GB
//!   latency: 40ms
//! events:
//! - at: 2m30s             # after the start; or `command: 12`, the twelfth that the host is sent
//!   host: 10.0.0.3
//!   do: reboot
//! - at: 1m
//!   do: site-down
//!   site: repos.mirantis.com
//!   for: 45s
//! random-events: 2        # and two more, drawn from the seed
//! ```

mod chance;
mod event;
mod ssh;
mod value;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use chance::{Place, draw};
pub use event::{EventSpec, What};
pub use ssh::{Method, Password, SshSpec};
pub use value::{Size, Time};

use crate::access::Trouble;
use crate::build::{SeLinux, Sudo};
use crate::host::Init;
use crate::world::{Fleet, HostId};
use event::Planned;

/// A scenario.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Scenario {
    /// Where chance comes from, unless the command line says it.
    pub seed: Option<u64>,
    /// The link of all hosts.
    pub network: Option<LinkSpec>,
    /// What the SSH servers of all hosts are told.
    pub ssh: Option<SshSpec>,
    /// What single hosts are like.
    pub hosts: Vec<HostTraits>,
    /// What goes wrong.
    pub events: Vec<EventSpec>,
    /// How much else goes wrong: so many events, drawn from the seed.
    pub random_events: u32,
}

/// A link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSpec {
    /// How long a packet takes, one way (`20ms`).
    pub latency: Option<Time>,
    /// By how much longer it may take (`5ms`); felt at real sockets only.
    pub jitter: Option<Time>,
    /// Bytes per second (`10MB`).
    pub bandwidth: Option<Size>,
}

/// What a host is like.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HostTraits {
    /// Its address or name.
    pub host: String,
    /// Its operating system.
    pub os: Option<String>,
    /// Its processor: `amd64` or `arm64`.
    pub architecture: Option<Architecture>,
    /// What runs its services: `systemd` or `openrc`.
    pub init: Option<InitSpec>,
    /// What SELinux does, where its system has it.
    pub selinux: Option<SeLinuxSpec>,
    /// Whether it runs in FIPS mode.
    #[serde(default)]
    pub fips: bool,
    /// Whether it is registered with Red Hat, where its system is RHEL.
    pub subscription: Option<bool>,
    /// How many bytes its disk holds.
    pub disk: Option<Size>,
    /// How much memory it has.
    pub memory: Option<Size>,
    /// How many processors it has.
    pub processors: Option<u32>,
    /// How long a packet takes, one way.
    pub latency: Option<Time>,
    /// By how much longer it may take; felt at real sockets only.
    pub jitter: Option<Time>,
    /// Bytes per second.
    pub bandwidth: Option<Size>,
    /// How its login user becomes root: `free`, `password`, `partial`, `doas`, `none`.
    pub sudo: Option<SudoSpec>,
    /// What is the matter with the way to it, or with its login, from the start.
    #[serde(default)]
    pub troubles: Vec<Trouble>,
    /// By how many seconds its clock is ahead.
    pub clock: Option<f64>,
    /// What its SSH server is told, instead of what those of all hosts are.
    pub ssh: Option<SshSpec>,
}

/// The processor of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// `x86_64`.
    Amd64,
    /// `aarch64`.
    Arm64,
}

impl Architecture {
    /// Returns what `uname -m` says.
    pub fn machine(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }
}

/// What runs the services of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitSpec {
    /// systemd.
    Systemd,
    /// OpenRC.
    Openrc,
}

impl From<InitSpec> for Init {
    fn from(spec: InitSpec) -> Self {
        match spec {
            InitSpec::Systemd => Self::Systemd,
            InitSpec::Openrc => Self::OpenRc,
        }
    }
}

/// What SELinux does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeLinuxSpec {
    /// It refuses.
    Enforcing,
    /// It warns.
    Permissive,
    /// It is off.
    Disabled,
}

impl From<SeLinuxSpec> for SeLinux {
    fn from(spec: SeLinuxSpec) -> Self {
        match spec {
            SeLinuxSpec::Enforcing => Self::Enforcing,
            SeLinuxSpec::Permissive => Self::Permissive,
            SeLinuxSpec::Disabled => Self::Disabled,
        }
    }
}

/// How a login user becomes root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SudoSpec {
    /// `sudo` without a password.
    Free,
    /// `sudo` with a password.
    Password,
    /// `sudo` for some programs.
    Partial,
    /// `doas` without a password.
    Doas,
    /// Not at all.
    None,
}

impl From<SudoSpec> for Sudo {
    fn from(spec: SudoSpec) -> Self {
        match spec {
            SudoSpec::Free => Self::Free,
            SudoSpec::Password => Self::Password,
            SudoSpec::Partial => Self::Partial,
            SudoSpec::Doas => Self::Doas,
            SudoSpec::None => Self::None,
        }
    }
}

/// Returns events as the scenario that repeats them.
pub fn text_of(events: &[&EventSpec]) -> String {
    #[derive(Serialize)]
    struct Events<'a> {
        events: &'a [&'a EventSpec],
    }
    // Words and numbers can always be written.
    serde_saphyr::to_string(&Events { events }).unwrap_or_default()
}

/// Why a scenario cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// It cannot be read.
    #[error("{0}")]
    Parse(String),
    /// An event makes no sense.
    #[error("events[{index}]: {message}")]
    Event {
        /// Which, from 0.
        index: usize,
        /// Why not.
        message: String,
    },
    /// The SSH server of a host cannot be told.
    #[error("ssh: {0}")]
    Ssh(String),
    /// It names a host that there is not.
    #[error("{place}: there is no host `{host}`; there are {known}")]
    Host {
        /// Where.
        place: String,
        /// The name.
        host: String,
        /// Some that there are.
        known: String,
    },
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    ///
    /// Fails with line and column where it makes no sense.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let is_said = |line: &str| !line.trim().is_empty() && !line.trim().starts_with('#');
        if !text.lines().any(is_said) {
            return Ok(Self::default());
        }
        serde_saphyr::from_str(text).map_err(|error| ScenarioError::Parse(error.to_string()))
    }

    /// Returns what a host is like, if the scenario says anything of it.
    pub fn traits_of(&self, names: &[&str]) -> Option<&HostTraits> {
        self.hosts
            .iter()
            .find(|traits| names.contains(&traits.host.as_str()))
    }

    /// Returns it with the events that the seed draws for a fleet, and none left to be drawn.
    #[must_use]
    pub fn drawn(mut self, fleet: &Fleet, seed: u64) -> Self {
        let count = std::mem::take(&mut self.random_events);
        self.events.extend(chance::events(fleet, seed, count));
        self
    }

    /// Returns the events whose time has not come, where the run began after so much of the time of
    /// the fleet.
    pub fn missed(&self, fleet: &Fleet, start: Duration) -> Vec<&EventSpec> {
        let is_missed = |event: &&EventSpec| !event.has_come(fleet, start);
        self.events.iter().filter(is_missed).collect()
    }

    /// Judges whether it can be played on a fleet.
    ///
    /// # Errors
    ///
    /// Fails where an event makes no sense or names no host.
    pub fn check(&self, fleet: &Fleet) -> Result<(), ScenarioError> {
        for (index, event) in self.events.iter().enumerate() {
            event.plan(fleet, index)?;
        }
        for (index, traits) in self.hosts.iter().enumerate() {
            find(fleet, &traits.host, &format!("hosts[{index}]"))?;
        }
        Ok(())
    }

    /// Applies links and clocks, and lets everything go wrong when it should: times count from now.
    ///
    /// # Errors
    ///
    /// Fails where an event makes no sense or names no host; then nothing is applied.
    pub fn apply(&self, fleet: &Fleet) -> Result<(), ScenarioError> {
        let mut planned = Vec::new();
        for (index, event) in self.events.iter().enumerate() {
            planned.push(event.plan(fleet, index)?);
        }
        let mut hosts = Vec::new();
        for (index, traits) in self.hosts.iter().enumerate() {
            hosts.push((
                find(fleet, &traits.host, &format!("hosts[{index}]"))?,
                traits,
            ));
        }
        if let Some(link) = &self.network {
            fleet.world(|world| {
                for host in &mut world.hosts {
                    set_link(host, *link);
                }
            });
        }
        if let Some(ssh) = &self.ssh {
            let count = fleet.world(|world| world.hosts.len());
            for host in (0..count).map(HostId) {
                ssh.apply(fleet, host).map_err(ScenarioError::Ssh)?;
            }
        }
        for (host, traits) in hosts {
            if let Some(ssh) = &traits.ssh {
                ssh.apply(fleet, host).map_err(ScenarioError::Ssh)?;
            }
            fleet.host(host, |host| {
                set_link(host, traits.link());
                host.clock_skew = traits.clock.unwrap_or(host.clock_skew);
            });
            for trouble in &traits.troubles {
                fleet.trouble(host, *trouble, true);
            }
        }
        for planned in planned {
            match planned {
                Planned::Verdict(host, number, verdict) => {
                    fleet.plan_verdict(host, number, verdict);
                }
                Planned::Blow(host, when, blow) => fleet.plan_blow(host, when, blow),
            }
        }
        Ok(())
    }
}

fn set_link(host: &mut crate::host::Host, spec: LinkSpec) {
    let link = &mut host.link;
    link.latency = spec.latency.map_or(link.latency, |time| time.0);
    link.jitter = spec.jitter.map_or(link.jitter, |time| time.0);
    link.bandwidth = spec.bandwidth.map_or(link.bandwidth, |size| size.0);
}

impl HostTraits {
    fn link(&self) -> LinkSpec {
        LinkSpec {
            latency: self.latency,
            jitter: self.jitter,
            bandwidth: self.bandwidth,
        }
    }
}

fn find(fleet: &Fleet, name: &str, place: &str) -> Result<HostId, ScenarioError> {
    fleet.world(|world| {
        world.host_at(name).ok_or_else(|| ScenarioError::Host {
            place: place.to_owned(),
            host: name.to_owned(),
            known: world.some_hosts(),
        })
    })
}
