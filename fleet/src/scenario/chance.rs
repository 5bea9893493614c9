//! What goes wrong by chance.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use super::event::{EventSpec, What};
use super::value::{Size, Time};
use crate::access::TROUBLES;
use crate::world::Fleet;

/// Where something happens: at which command that a host is sent, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The host, by name.
    pub host: String,
    /// The number of the command.
    pub command: u64,
}

/// Steps of a bootstrapper, at which it may fail.
const POINTS: &[&str] = &[
    "started", "checked", "pulled", "stored", "deployed", "finished",
];

/// What can happen, how often of a hundred times, and for how many seconds.
const CHANCES: &[(What, u32, (u64, u64))] = &[
    (What::FailCommand, 19, (0, 0)),
    (What::LoseAnswer, 14, (0, 0)),
    (What::LoseCommand, 10, (0, 0)),
    (What::CutAfter, 5, (0, 0)),
    (What::HangCommand, 5, (0, 0)),
    (What::RestartSshd, 4, (0, 0)),
    (What::Reboot, 5, (0, 0)),
    (What::Freeze, 3, (5, 60)),
    (What::KillEngine, 5, (0, 0)),
    (What::HangEngine, 4, (5, 60)),
    (What::LockPackages, 4, (5, 200)),
    (What::FillDisk, 4, (5, 120)),
    (What::SiteDown, 4, (5, 120)),
    (What::Part, 4, (5, 60)),
    (What::BootstrapperFails, 4, (0, 0)),
    (What::BootstrapperDies, 4, (0, 0)),
    (What::SecondOperator, 2, (5, 90)),
    (What::Access, 16, (1, 240)),
    (What::ApiAnswers, 6, (5, 120)),
];

/// What an API answers when it is not well: to which path, and with which status.
const ANSWERS: &[(&str, u16)] = &[
    ("/_ping", 500),
    ("/_ping", 200),
    ("/auth/login", 503),
    ("/auth/login", 200),
    ("/ca", 502),
    ("/nodes", 500),
];

/// Draws what happens at a place; `others` are hosts that its host may be cut off from.
pub fn draw(rng: &mut SmallRng, fleet: &Fleet, place: Place, others: &[String]) -> EventSpec {
    let chosen = CHANCES.choose_weighted(rng, |(_, weight, _)| *weight);
    // The weights are positive.
    let (what, _, (shortest, longest)) = *chosen.unwrap_or(&CHANCES[0]);
    let mut seconds = || {
        Some(Time(Duration::from_secs(
            rng.random_range(shortest..longest),
        )))
    };
    let mut event = EventSpec {
        what,
        time: if longest > 0 { seconds() } else { None },
        command: Some(place.command),
        host: Some(place.host),
        ..EventSpec::default()
    };
    let sites: Vec<String> =
        fleet.world(|world| world.network.sites.keys().cloned().collect::<Vec<_>>());
    match what {
        What::FailCommand => event.status = Some(1),
        What::CutAfter => event.bytes = Some(Size(rng.random_range(1..4000))),
        What::Access => event.trouble = TROUBLES.choose(rng).copied(),
        What::ApiAnswers => {
            let (path, status) = *ANSWERS.choose(rng).unwrap_or(&ANSWERS[0]);
            event.path = Some(path.to_owned());
            event.status = Some(status);
        }
        What::SiteDown => event.site = sites.choose(rng).cloned(),
        What::Part => event.from = others.choose(rng).cloned(),
        What::BootstrapperFails | What::BootstrapperDies => {
            event.point = POINTS.choose(rng).map(|&point| point.to_owned());
        }
        _ => {}
    }
    // There is nothing that it could be cut off from.
    let has_none = (what == What::Part && event.from.is_none())
        || (what == What::SiteDown && event.site.is_none());
    if has_none {
        event.what = What::RestartSshd;
        event.time = None;
    }
    event
}

/// How many commands hosts are sent at least by an apply on bare hosts.
const COMMANDS: u64 = 14;

/// Draws so many events for the hosts of a fleet.
pub(super) fn events(fleet: &Fleet, seed: u64, count: u32) -> Vec<EventSpec> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let names = fleet.world(|world| {
        let names = world.hosts.iter().map(|host| host.name.clone());
        names.collect::<Vec<_>>()
    });
    let mut one = || {
        let host = names.choose(&mut rng)?.clone();
        let others: Vec<String> = names
            .iter()
            .filter(|name| **name != host)
            .cloned()
            .collect();
        let command = rng.random_range(1..=COMMANDS);
        let place = Place { host, command };
        Some(draw(&mut rng, fleet, place, &others))
    };
    (0..count).filter_map(|_| one()).collect()
}
