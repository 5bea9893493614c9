//! What can happen, and where.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use fleet::HostId;
use fleet::fault::{Blow, Verdict, When};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::cluster::{Cluster, HOSTS};

/// Which command is disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// An apply on bare hosts.
    Install,
    /// An apply with nothing to do.
    Again,
    /// An apply of a configuration that asks for more.
    Change,
    /// A reset.
    Reset,
}

impl Work {
    /// Returns the words of the command line.
    pub(crate) fn words(self) -> &'static [&'static str] {
        match self {
            Self::Install | Self::Again | Self::Change => &["apply"],
            Self::Reset => &["reset", "--force"],
        }
    }
}

/// What happens.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// Nothing.
    Nothing,
    /// A command goes wrong.
    Verdict(Verdict),
    /// Something strikes a host, or what is around it.
    Blow(Blow),
    /// The user presses Ctrl-C, so often.
    Abort(u8),
}

/// A trial: which command is disturbed, by what, and where.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) order: Vec<usize>,
    pub(crate) work: Work,
    pub(crate) event: Event,
    pub(crate) host: HostId,
    pub(crate) number: u64,
}

/// Draws the order of the hosts and the command of a seed.
pub(crate) fn draw(seed: u64) -> (SmallRng, Vec<usize>, Work) {
    let mut rng = SmallRng::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut order: Vec<usize> = (0..HOSTS.len()).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, rng.random_range(0..=at));
    }
    let works = [
        Work::Install,
        Work::Install,
        Work::Install,
        Work::Again,
        Work::Change,
        Work::Reset,
    ];
    let work = *works.choose(&mut rng).unwrap();
    (rng, order, work)
}

/// Draws what happens, where an undisturbed run sends so many commands to each host.
pub(crate) fn plan(
    seed: u64,
    mut rng: SmallRng,
    order: Vec<usize>,
    work: Work,
    counts: &[(HostId, u64)],
) -> Plan {
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    let mut at = rng.random_range(0..total.max(1));
    let mut place = (HostId(0), 1);
    for (host, count) in counts {
        if at < *count {
            place = (*host, at + 1);
            break;
        }
        at -= count;
    }
    let event = event(&mut rng, place.0);
    Plan {
        seed,
        order,
        work,
        event,
        host: place.0,
        number: place.1,
    }
}

fn event(rng: &mut SmallRng, host: HostId) -> Event {
    let seconds =
        |rng: &mut SmallRng, from: u64, to: u64| Duration::from_secs(rng.random_range(from..to));
    let fail = Verdict::Fail {
        status: 1,
        said: "failed by the trial".to_owned(),
    };
    let point = [
        "started", "checked", "pulled", "stored", "deployed", "finished",
    ];
    let point = (*point.choose(rng).unwrap()).to_owned();
    let bootstrapper = |name: &str, value: &str| {
        Blow::Bootstrapper(BTreeMap::from([
            ("UCP_SIM_AT".to_owned(), point.clone()),
            (name.to_owned(), value.to_owned()),
        ]))
    };
    let other = HostId((host.0 + 1) % 3);
    match rng.random_range(0..26) {
        0 => Event::Nothing,
        1..=4 => Event::Verdict(fail),
        5..=6 => Event::Verdict(Verdict::LoseBefore),
        7..=9 => Event::Verdict(Verdict::LoseAfter),
        10 => Event::Verdict(Verdict::CutAfter(rng.random_range(1..4000))),
        11 => Event::Verdict(Verdict::Hang),
        12..=14 => Event::Abort(1),
        15 => Event::Abort(2),
        16 => Event::Blow(Blow::RestartSshd),
        17 => Event::Blow(Blow::Reboot),
        18 => Event::Blow(Blow::KillEngine),
        19 => Event::Blow(Blow::LockPackages(seconds(rng, 5, 200))),
        20 => Event::Blow(Blow::FillDisk(Some(seconds(rng, 5, 120)))),
        21 => {
            let sites = ["repos.mirantis.com", "registry-1.docker.io"];
            let site = (*sites.choose(rng).unwrap()).to_owned();
            Event::Blow(Blow::SiteDown(site, Some(seconds(rng, 5, 120))))
        }
        22 => Event::Blow(bootstrapper("UCP_SIM_FAIL", "failed by the trial")),
        23 => Event::Blow(bootstrapper("UCP_SIM_DIE", "true")),
        24 => Event::Blow(Blow::SecondOperator(seconds(rng, 5, 90))),
        _ if other != host => Event::Blow(Blow::Part(host, other, Some(seconds(rng, 5, 60)))),
        _ => Event::Blow(Blow::HangEngine(Some(seconds(rng, 5, 60)))),
    }
}

impl Plan {
    /// Prepares the event; returns the signals that the user will send.
    pub(crate) fn prepare(&self, cluster: &Cluster) -> Option<UnboundedReceiver<i32>> {
        let fleet = &cluster.fleet;
        match &self.event {
            Event::Nothing => None,
            Event::Verdict(verdict) => {
                fleet.plan_verdict(self.host, self.number, verdict.clone());
                None
            }
            Event::Blow(blow) => {
                let when = When::Command(self.host, self.number);
                fleet.plan_blow(self.host, when, blow.clone());
                None
            }
            Event::Abort(times) => {
                let (sender, receiver) = unbounded_channel();
                let sent = fleet.when_sent(self.host, self.number);
                let times = *times;
                tokio::spawn(async move {
                    if sent.await.is_ok() {
                        for _ in 0..times {
                            // The run may be over.
                            let _ = sender.send(2);
                            tokio::time::sleep(Duration::from_secs(1)).await;
                        }
                    }
                    std::future::pending::<()>().await;
                });
                Some(receiver)
            }
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.order.iter().map(|index| HOSTS[*index].0).collect();
        write!(
            f,
            "seed {}: {:?} with the hosts {}",
            self.seed,
            self.work,
            names.join(" ")
        )?;
        write!(f, "\n{}", self.scenario())
    }
}

impl Plan {
    /// Returns the scenario that repeats it with `launchpad rehearse`, as far as there is one.
    pub(crate) fn scenario(&self) -> String {
        let host = HOSTS[self.host.0].0;
        let place = format!("command: {}, host: {host}", self.number);
        let seconds = |time: Option<Duration>| {
            time.map(|time| format!(", for: {}s", time.as_secs()))
                .unwrap_or_default()
        };
        let what = match &self.event {
            Event::Nothing => return "events: []".to_owned(),
            Event::Abort(times) => return format!("# {times} times Ctrl-C at {place}"),
            Event::Verdict(Verdict::Fail { status, .. }) => {
                format!("fail-command, status: {status}")
            }
            Event::Verdict(Verdict::LoseBefore) => "lose-command".to_owned(),
            Event::Verdict(Verdict::LoseAfter) => "lose-answer".to_owned(),
            Event::Verdict(Verdict::CutAfter(bytes)) => format!("cut-after, bytes: {bytes}"),
            Event::Verdict(Verdict::Hang) => "hang-command".to_owned(),
            Event::Blow(Blow::RestartSshd | Blow::Cut) => "restart-sshd".to_owned(),
            Event::Blow(Blow::Reboot) => "reboot".to_owned(),
            Event::Blow(Blow::KillEngine) => "kill-engine".to_owned(),
            Event::Blow(Blow::HangEngine(time)) => format!("hang-engine{}", seconds(*time)),
            Event::Blow(Blow::FillDisk(time)) => format!("fill-disk{}", seconds(*time)),
            Event::Blow(Blow::LockPackages(time)) => {
                format!("lock-packages{}", seconds(Some(*time)))
            }
            Event::Blow(Blow::SecondOperator(time)) => {
                format!("second-operator{}", seconds(Some(*time)))
            }
            Event::Blow(Blow::SiteDown(site, time)) => {
                format!("site-down, site: {site}{}", seconds(*time))
            }
            Event::Blow(Blow::Part(_, other, time)) => {
                format!("part, from: {}{}", HOSTS[other.0].0, seconds(*time))
            }
            Event::Blow(Blow::Bootstrapper(variables)) => {
                let point = variables
                    .get("UCP_SIM_AT")
                    .map_or("deployed", String::as_str);
                let how = if variables.contains_key("UCP_SIM_DIE") {
                    "dies"
                } else {
                    "fails"
                };
                format!("bootstrapper-{how}, point: {point}")
            }
            Event::Blow(other) => return format!("# {other:?} at {place}"),
        };
        format!("events:\n- {{{place}, do: {what}}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_trials_print_is_a_scenario() {
        for seed in 0..400 {
            let (rng, order, work) = draw(seed);
            let counts = [
                (HostId(0), 50),
                (HostId(1), 30),
                (HostId(2), 30),
                (HostId(3), 20),
            ];
            let text = plan(seed, rng, order, work, &counts).scenario();

            let scenario = fleet::scenario::Scenario::parse(&text);

            assert!(scenario.is_ok(), "{text}: {scenario:?}");
        }
    }
}
