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
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::build::Sudo;
use crate::fault::{Blow, Verdict, When};
use crate::world::{Fleet, HostId};

/// A scenario.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Scenario {
    /// Where chance comes from, unless the command line says it.
    pub seed: Option<u64>,
    /// The link of all hosts.
    pub network: Option<LinkSpec>,
    /// What single hosts are like.
    pub hosts: Vec<HostTraits>,
    /// What goes wrong.
    pub events: Vec<EventSpec>,
}

/// A link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSpec {
    /// How long a packet takes, one way (`20ms`).
    pub latency: Option<Time>,
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
    /// How many bytes its disk holds.
    pub disk: Option<Size>,
    /// How much memory it has.
    pub memory: Option<Size>,
    /// How many processors it has.
    pub processors: Option<u32>,
    /// How long a packet takes, one way.
    pub latency: Option<Time>,
    /// Bytes per second.
    pub bandwidth: Option<Size>,
    /// How its login user becomes root: `free`, `password`, `partial`, `doas`, `none`.
    pub sudo: Option<SudoSpec>,
    /// By how many seconds its clock is ahead.
    pub clock: Option<f64>,
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

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EventSpec {
    /// How long after the start.
    pub at: Option<Time>,
    /// At which command that the host is sent, from 1.
    pub command: Option<u64>,
    /// The host, by address or name.
    pub host: Option<String>,
    /// What happens.
    #[serde(rename = "do")]
    pub what: What,
    /// For how long.
    #[serde(rename = "for")]
    pub time: Option<Time>,
    /// The other host, where two are cut off from each other.
    pub from: Option<String>,
    /// The site.
    pub site: Option<String>,
    /// The exit status of a command that fails.
    pub status: Option<u8>,
    /// What it says.
    pub text: Option<String>,
    /// After how many bytes a connection breaks.
    pub bytes: Option<Size>,
    /// By how many seconds a clock jumps.
    pub seconds: Option<f64>,
    /// Where a bootstrapper fails: `started`, `checked`, `pulled`, `stored`, `deployed`, `finished`.
    pub point: Option<String>,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "docs/scenarios.md describes each of them")]
pub enum What {
    FailCommand,
    HangCommand,
    LoseCommand,
    LoseAnswer,
    CutAfter,
    Cut,
    RestartSshd,
    Reboot,
    PowerOff,
    Freeze,
    FillDisk,
    LockPackages,
    KillEngine,
    BreakEngine,
    HangEngine,
    SkewClock,
    Unplug,
    Part,
    SiteDown,
    SiteSilent,
    SiteSlow,
    SiteBadSignature,
    BootstrapperFails,
    BootstrapperDies,
    SecondOperator,
}

/// A time, as in `250ms`, `2m30s`, `1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Time(pub Duration);

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no time such as `250ms`, `90s` or `2m30s`");
        let mut total = Duration::ZERO;
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let end = rest.find(|one: char| !one.is_ascii_digit() && one != '.');
            let (number, after) = rest.split_at(end.ok_or_else(wrong)?);
            let number: f64 = number.parse().map_err(|_error| wrong())?;
            let end = after
                .find(|one: char| one.is_ascii_digit())
                .unwrap_or(after.len());
            let (unit, after) = after.split_at(end);
            let factor = match unit {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return Err(wrong()),
            };
            let seconds = number * factor;
            total += Duration::try_from_secs_f64(seconds).map_err(|_error| wrong())?;
            rest = after;
        }
        Ok(Self(total))
    }
}

/// A number of bytes, as in `10MB`, `512KiB`, `20GB`, or without a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Size(pub u64);

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no size such as `512KiB`, `10MB` or `20GB`");
        let trimmed = text.trim();
        let end = trimmed
            .find(|one: char| !one.is_ascii_digit())
            .unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(end);
        let number: u64 = number.parse().map_err(|_error| wrong())?;
        let factor: u64 = match unit.trim() {
            "" | "B" => 1,
            "kB" | "KB" => 1000,
            "KiB" => 1 << 10,
            "MB" => 1_000_000,
            "MiB" => 1 << 20,
            "GB" => 1_000_000_000,
            "GiB" => 1 << 30,
            "TB" => 1_000_000_000_000,
            _ => return Err(wrong()),
        };
        number.checked_mul(factor).map(Self).ok_or_else(wrong)
    }
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
    /// It names a host that there is not.
    #[error("{place}: there is no host `{host}`; there are {known}")]
    Host {
        /// Where.
        place: String,
        /// The name.
        host: String,
        /// Those that there are.
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
                    set_link(host, link.latency, link.bandwidth);
                }
            });
        }
        for (host, traits) in hosts {
            fleet.host(host, |host| {
                set_link(host, traits.latency, traits.bandwidth);
                host.clock_skew = traits.clock.unwrap_or(host.clock_skew);
            });
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

fn set_link(host: &mut crate::host::Host, latency: Option<Time>, bandwidth: Option<Size>) {
    host.link.latency = latency.map_or(host.link.latency, |time| time.0);
    host.link.bandwidth = bandwidth.map_or(host.link.bandwidth, |size| size.0);
}

fn find(fleet: &Fleet, name: &str, place: &str) -> Result<HostId, ScenarioError> {
    fleet.world(|world| {
        world.host_at(name).ok_or_else(|| ScenarioError::Host {
            place: place.to_owned(),
            host: name.to_owned(),
            known: world
                .hosts
                .iter()
                .map(|host| host.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        })
    })
}

enum Planned {
    Verdict(HostId, u64, Verdict),
    Blow(HostId, When, Blow),
}

impl EventSpec {
    fn plan(&self, fleet: &Fleet, index: usize) -> Result<Planned, ScenarioError> {
        let wrong = |message: String| ScenarioError::Event { index, message };
        let place = format!("events[{index}]");
        let host = match &self.host {
            Some(name) => Some(find(fleet, name, &place)?),
            None => None,
        };
        let needs_host = || {
            host.ok_or_else(|| wrong("`host` is missing: which host does it happen to?".to_owned()))
        };
        if let Some(verdict) = self.verdict() {
            let number = self.command.ok_or_else(|| {
                wrong("`command` is missing: at which command that the host is sent?".to_owned())
            })?;
            return Ok(Planned::Verdict(needs_host()?, number, verdict));
        }
        let blow = self.blow(fleet, &needs_host, &wrong, &place)?;
        let when = match (self.at, self.command) {
            (Some(at), None) => When::At(fleet.elapsed() + at.0),
            (None, Some(number)) => When::Command(needs_host()?, number),
            (None, None) => When::At(Duration::ZERO),
            (Some(_), Some(_)) => {
                return Err(wrong("set `at` or `command`, not both".to_owned()));
            }
        };
        let host = host.unwrap_or(HostId(0));
        Ok(Planned::Blow(host, when, blow))
    }

    fn verdict(&self) -> Option<Verdict> {
        Some(match self.what {
            What::FailCommand => Verdict::Fail {
                status: self.status.unwrap_or(1),
                said: self
                    .text
                    .clone()
                    .unwrap_or_else(|| "failed by the scenario".to_owned()),
            },
            What::HangCommand => Verdict::Hang,
            What::LoseCommand => Verdict::LoseBefore,
            What::LoseAnswer => Verdict::LoseAfter,
            What::CutAfter => Verdict::CutAfter(self.bytes.map_or(1, |size| size.0)),
            _ => return None,
        })
    }

    fn blow(
        &self,
        fleet: &Fleet,
        needs_host: &dyn Fn() -> Result<HostId, ScenarioError>,
        wrong: &dyn Fn(String) -> ScenarioError,
        place: &str,
    ) -> Result<Blow, ScenarioError> {
        let time = self.time.map(|time| time.0);
        let site = || {
            self.site
                .clone()
                .ok_or_else(|| wrong("`site` is missing: which site?".to_owned()))
        };
        let needs_site = [
            What::SiteDown,
            What::SiteSilent,
            What::SiteSlow,
            What::SiteBadSignature,
        ];
        let is_of_fleet = [What::BootstrapperFails, What::BootstrapperDies];
        if !needs_site.contains(&self.what) && !is_of_fleet.contains(&self.what) {
            needs_host()?;
        }
        Ok(match self.what {
            What::Cut => Blow::Cut,
            What::RestartSshd => Blow::RestartSshd,
            What::Reboot => Blow::Reboot,
            What::PowerOff => Blow::PowerOff(time),
            What::Freeze => Blow::Freeze(time),
            What::FillDisk => Blow::FillDisk(time),
            What::LockPackages => Blow::LockPackages(time.unwrap_or(Duration::from_secs(120))),
            What::KillEngine => Blow::KillEngine,
            What::BreakEngine => Blow::BreakEngine(time),
            What::HangEngine => Blow::HangEngine(time),
            What::SkewClock => Blow::SkewClock(self.seconds.unwrap_or(300.0)),
            What::Unplug => Blow::Unplug(time),
            What::Part => {
                let name = self.from.as_deref().ok_or_else(|| {
                    wrong("`from` is missing: from which other host is it cut off?".to_owned())
                })?;
                Blow::Part(needs_host()?, find(fleet, name, place)?, time)
            }
            What::SiteDown => Blow::SiteDown(site()?, time),
            What::SiteSilent => Blow::SiteSilent(site()?, time),
            What::SiteSlow => {
                let bandwidth = self.bytes.map_or(50_000, |size| size.0);
                Blow::SiteSlow(site()?, bandwidth)
            }
            What::SiteBadSignature => Blow::SiteBadSignature(site()?),
            What::BootstrapperFails | What::BootstrapperDies => {
                let point = self.point.clone().unwrap_or_else(|| "deployed".to_owned());
                let text = self
                    .text
                    .clone()
                    .unwrap_or_else(|| "failed by the scenario".to_owned());
                let (name, value) = match self.what {
                    What::BootstrapperDies => ("UCP_SIM_DIE", "true".to_owned()),
                    _ => ("UCP_SIM_FAIL", text),
                };
                Blow::Bootstrapper(BTreeMap::from([
                    ("UCP_SIM_AT".to_owned(), point),
                    (name.to_owned(), value),
                ]))
            }
            What::SecondOperator => Blow::SecondOperator(time.unwrap_or(Duration::from_secs(120))),
            What::FailCommand
            | What::HangCommand
            | What::LoseCommand
            | What::LoseAnswer
            | What::CutAfter => {
                return Err(wrong("this happens to a command, not to a host".to_owned()));
            }
        })
    }
}
