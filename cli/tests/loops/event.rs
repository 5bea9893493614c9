//! What can happen, and where.

use std::fmt;
use std::time::Duration;

use fleet::scenario::{self, EventSpec, Place, Scenario};
use fleet::{Fleet, HostId};
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
    fleet: &Fleet,
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
    let event = event(&mut rng, fleet, place.0, place.1);
    Plan {
        seed,
        order,
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
        let counts = [
            (HostId(0), 50),
            (HostId(1), 30),
            (HostId(2), 30),
            (HostId(3), 20),
        ];
        for seed in 0..400 {
            let (rng, order, work) = draw(seed);
            let cluster = Cluster::new(seed, &order);
            let plan = plan(seed, rng, order, work, &cluster.fleet, &counts);
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
