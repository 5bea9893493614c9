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
pub enum Work {
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
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Install | Self::Again | Self::Change => &["apply"],
            Self::Reset => &["reset", "--force"],
        }
    }
}

/// What happens.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
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
pub struct Plan {
    pub seed: u64,
    pub order: Vec<usize>,
    pub work: Work,
    pub event: Event,
    pub host: HostId,
    pub number: u64,
}

/// Draws the order of the hosts and the command of a seed.
pub fn draw(seed: u64) -> (SmallRng, Vec<usize>, Work) {
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
pub fn plan(
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
    pub fn prepare(&self, cluster: &Cluster) -> Option<UnboundedReceiver<i32>> {
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
            "seed {}: {:?} with the hosts {}; at command {} of {}: {:?}",
            self.seed,
            self.work,
            names.join(" "),
            self.number,
            HOSTS[self.host.0].0,
            self.event
        )
    }
}
