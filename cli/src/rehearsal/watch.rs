//! Watches the API of the managers while a rehearsal goes on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fleet::{Fleet, HostId};

/// A time in which an API that had answered did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// The host; none for the API as a whole, on no manager at all.
    pub host: Option<HostId>,
    /// When it began, as time since the start of the fleet.
    pub started: Duration,
    /// How long it lasted.
    pub lasted: Duration,
}

/// How often it is looked.
const PERIOD: Duration = Duration::from_millis(500);

/// What was seen of the API.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    /// For each host, and for the whole behind them: whether it answered, and since when.
    states: Vec<Option<(bool, Duration)>>,
    outages: Vec<Outage>,
    first_answer: Option<Duration>,
}

impl Watch {
    /// Watches until the runtime ends.
    pub fn start(fleet: &Fleet, port: u16) -> Self {
        let watch = Self::default();
        let (fleet, mine) = (fleet.clone(), watch.clone());
        tokio::spawn(async move {
            loop {
                mine.look(&fleet, port);
                tokio::time::sleep(PERIOD).await;
            }
        });
        watch
    }

    fn look(&self, fleet: &Fleet, port: u16) {
        let now = fleet.elapsed();
        let answers = fleet.api_answers(port);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let any = answers.iter().any(|answers| *answers);
        let count = answers.len();
        seen.states.resize(count + 1, None);
        for (index, answers) in answers.into_iter().chain([any]).enumerate() {
            let host = (index < count).then_some(HostId(index));
            seen.note(index, host, answers, now);
        }
    }

    /// Returns all outages so far; one that goes on ends now.
    pub fn outages(&self, now: Duration) -> Vec<Outage> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = seen.outages.clone();
        let count = seen.states.len().saturating_sub(1);
        for (index, state) in seen.states.iter().enumerate() {
            if let Some((false, since)) = state {
                all.push(Outage {
                    host: (index < count).then_some(HostId(index)),
                    started: *since,
                    lasted: now.saturating_sub(*since),
                });
            }
        }
        all.sort_by_key(|outage| outage.started);
        all
    }

    /// Returns when the API answered for the first time.
    pub fn first_answer(&self) -> Option<Duration> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.first_answer
    }
}

impl Seen {
    fn note(&mut self, index: usize, host: Option<HostId>, answers: bool, now: Duration) {
        let Some(state) = self.states.get_mut(index) else {
            return;
        };
        match (*state, answers) {
            // An API that was never there has no outage.
            (None, false) => {}
            (None, true) => {
                *state = Some((true, now));
                self.first_answer.get_or_insert(now);
            }
            (Some((was, _)), is) if was == is => {}
            (Some((true, _)), _) => *state = Some((false, now)),
            (Some((false, since)), _) => {
                *state = Some((true, now));
                self.outages.push(Outage {
                    host,
                    started: since,
                    lasted: now - since,
                });
            }
        }
    }
}
