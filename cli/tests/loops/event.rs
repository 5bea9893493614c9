//! What can happen, and where.

use std::fmt;
use std::time::Duration;

use fleet::access::Trouble;
use fleet::scenario::{self, EventSpec, Place, Scenario, Time, What};
use fleet::{Fleet, HostId};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::cluster::{BASTION, Cluster, HOSTS};

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
    /// Something goes wrong.
    Strike(Box<EventSpec>),
    /// The user presses Ctrl-C, so often.
    Abort(u8),
}

/// A trial: which command is disturbed, by what, and where.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) order: Vec<usize>,
    pub(crate) has_bastion: bool,
    pub(crate) work: Work,
    pub(crate) event: Event,
    pub(crate) host: HostId,
    pub(crate) number: u64,
}

/// Returns whether the hosts of a seed are behind a bastion.
fn has_bastion(seed: u64) -> bool {
    seed % 4 == 1
}

/// Returns the bare hosts of a seed.
pub(crate) fn cluster(seed: u64, order: &[usize]) -> Cluster {
    let cluster = Cluster::new(seed, order);
    match has_bastion(seed) {
        true => cluster.behind_a_bastion(),
        false => cluster,
    }
}

/// What happens to a bastion, and for how many seconds at most.
const STRIKES: [(What, Option<u64>); 7] = [
    (What::Cut, None),
    (What::RestartSshd, None),
    (What::Reboot, None),
    (What::Freeze, Some(60)),
    (What::Unplug, Some(60)),
    (What::PowerOff, Some(120)),
    (What::Access, Some(240)),
];

/// Draws what happens to the bastion during a run of a length.
fn strike(rng: &mut SmallRng, length: Duration) -> EventSpec {
    let (what, longest) = *STRIKES.choose(rng).unwrap();
    let at = Duration::from_millis(rng.random_range(0..=length.as_millis() as u64));
    let troubles = [
        Trouble::Refused,
        Trouble::Filtered,
        Trouble::Reset,
        Trouble::Silent,
        Trouble::LoginRefused,
        Trouble::NoForwarding,
    ];
    EventSpec {
        what,
        at: Some(Time(at)),
        host: Some(BASTION.0.to_owned()),
        time: longest.map(|longest| Time(Duration::from_secs(rng.random_range(1..longest)))),
        trouble: (what == What::Access).then(|| *troubles.choose(rng).unwrap()),
        ..EventSpec::default()
    }
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

/// What an undisturbed run does.
pub(crate) struct Undisturbed {
    /// How many commands it sends to each host.
    pub(crate) counts: Vec<(HostId, u64)>,
    /// How long it takes.
    pub(crate) length: Duration,
}

/// Draws what happens, from what an undisturbed run does.
pub(crate) fn plan(
    seed: u64,
    mut rng: SmallRng,
    order: Vec<usize>,
    work: Work,
    fleet: &Fleet,
    run: &Undisturbed,
) -> Plan {
    let counts = &run.counts;
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
    let has_bastion = has_bastion(seed);
    let event = if has_bastion && rng.random_bool(0.7) {
        Event::Strike(Box::new(strike(&mut rng, run.length)))
    } else {
        event(&mut rng, fleet, place.0, place.1)
    };
    Plan {
        seed,
        order,
        has_bastion,
        work,
        event,
        host: place.0,
        number: place.1,
    }
}

fn event(rng: &mut SmallRng, fleet: &Fleet, host: HostId, number: u64) -> Event {
    match rng.random_range(0..26) {
        0 => Event::Nothing,
        1..=3 => Event::Abort(1),
        4 => Event::Abort(2),
        _ => {
            let place = Place {
                host: HOSTS[host.0].0.to_owned(),
                command: number,
            };
            // Only managers have much to say to each other.
            let others: Vec<String> = (0..3)
                .filter(|other| *other != host.0)
                .map(|other| HOSTS[other].0.to_owned())
                .collect();
            Event::Strike(Box::new(scenario::draw(rng, fleet, place, &others)))
        }
    }
}

impl Plan {
    /// Prepares the event; returns the signals that the user will send.
    pub(crate) fn prepare(&self, cluster: &Cluster) -> Option<UnboundedReceiver<i32>> {
        let fleet = &cluster.fleet;
        match &self.event {
            Event::Nothing => None,
            Event::Strike(event) => {
                let scenario = Scenario {
                    events: vec![*event.clone()],
                    ..Scenario::default()
                };
                scenario.apply(fleet).unwrap();
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
            "seed {}: {:?} with the hosts {}{}",
            self.seed,
            self.work,
            names.join(" "),
            if self.has_bastion { " behind b1" } else { "" }
        )?;
        write!(f, "\n{}", self.scenario())
    }
}

impl Plan {
    /// Returns the scenario that repeats it with `launchpad rehearse`, as far as there is one.
    pub(crate) fn scenario(&self) -> String {
        match &self.event {
            Event::Nothing => "events: []".to_owned(),
            Event::Strike(event) => scenario::text_of(&[&**event]),
            Event::Abort(times) => {
                let (number, host) = (self.number, HOSTS[self.host.0].0);
                format!("# {times} times Ctrl-C at command {number} of {host}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_trials_print_is_the_scenario_that_repeats_them() {
        let counts = [50, 30, 30, 20].into_iter().enumerate();
        let run = Undisturbed {
            counts: counts.map(|(at, count)| (HostId(at), count)).collect(),
            length: Duration::from_secs(300),
        };
        for seed in 0..400 {
            let (rng, order, work) = draw(seed);
            let cluster = cluster(seed, &order);
            let plan = plan(seed, rng, order, work, &cluster.fleet, &run);
            let text = plan.scenario();

            let scenario = Scenario::parse(&text);

            let events = scenario.map(|scenario| scenario.events);
            match plan.event {
                Event::Strike(event) => assert_eq!(events, Ok(vec![*event]), "{text}"),
                Event::Nothing | Event::Abort(_) => assert_eq!(events, Ok(Vec::new()), "{text}"),
            }
        }
    }
}
