//! What goes wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::value::{Size, Time};
use super::{ScenarioError, find};
use crate::access::Trouble;
use crate::fault::{ApiAnswer, Blow, Verdict, When};
use crate::world::{Fleet, HostId};

/// Something that goes wrong.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EventSpec {
    /// How long after the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// At which command that the host is sent, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<u64>,
    /// The host, by address or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// What happens.
    #[serde(rename = "do")]
    pub what: What,
    /// What is the matter with the way to the host, or with its login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// For how long.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
    /// The other host, where two are cut off from each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The exit status of a command that fails, or the status of an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The path of the API that is answered for (`/api/clientbundle`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// After how many bytes a connection breaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Size>,
    /// By how many seconds a clock jumps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Where a bootstrapper fails: `started`, `checked`, `pulled`, `stored`, `deployed`, `finished`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<String>,
}

/// What happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "docs/rehearse.md describes each of them")]
pub enum What {
    #[default]
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
    Access,
    ApiAnswers,
}

impl EventSpec {
    /// Returns whether it happens to a command, and not to a host or what is around it.
    pub fn is_of_command(&self) -> bool {
        self.verdict().is_some()
    }

    /// Returns whether its time has come: whether so much of the run has passed, or its host was
    /// sent so many commands.
    pub fn has_come(&self, fleet: &Fleet, start: Duration) -> bool {
        match (self.command, &self.host) {
            (Some(number), Some(name)) => fleet.world(|world| {
                let host = world.host_at(name);
                host.is_some_and(|host| world.faults.count(host) >= number)
            }),
            _ => fleet.elapsed() >= start + self.at.map_or(Duration::ZERO, |time| time.0),
        }
    }
}

pub(super) enum Planned {
    Verdict(HostId, u64, Verdict),
    Blow(HostId, When, Blow),
}

impl EventSpec {
    pub(super) fn plan(&self, fleet: &Fleet, index: usize) -> Result<Planned, ScenarioError> {
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
            let is_too_great = |status| status > u16::from(u8::MAX);
            if self.what == What::FailCommand && self.status.is_some_and(is_too_great) {
                return Err(wrong("`status` of a command is 255 at most".to_owned()));
            }
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
                // What is greater is refused before it is planned.
                status: u8::try_from(self.status.unwrap_or(1)).unwrap_or(u8::MAX),
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

    /// Returns what an API answers: that it is not available, without a word.
    fn api_answer(
        &self,
        wrong: &dyn Fn(String) -> ScenarioError,
    ) -> Result<(String, ApiAnswer), ScenarioError> {
        let path = self.path.clone().filter(|path| path.starts_with('/'));
        let path = path.ok_or_else(|| {
            wrong("`path` is missing: which path of the API, from its `/`?".to_owned())
        })?;
        let status = self.status.unwrap_or(503);
        if !(200..600).contains(&status) {
            return Err(wrong("`status` of an answer is from 200 to 599".to_owned()));
        }
        let text = self.text.clone();
        let text = text.unwrap_or_else(|| "failed by the scenario\n".to_owned());
        Ok((path, ApiAnswer { status, text }))
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
            What::Access => Blow::Access(
                self.trouble.ok_or_else(|| {
                    wrong("`trouble` is missing: what is the matter with the way?".to_owned())
                })?,
                time,
            ),
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
            What::ApiAnswers => {
                let (path, answer) = self.api_answer(wrong)?;
                Blow::ApiAnswers(path, answer, time)
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
