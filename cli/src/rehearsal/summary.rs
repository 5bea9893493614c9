//! What a rehearsal has shown: a timeline, what was disturbed, what hosts were asked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fleet::scenario::{self, EventSpec};
use fleet::{Fleet, HostId, NotSimulated};
use phase::{Disruption, Ending, Envelope, Event, PlannedStep, Sink};
use report::style::{Style, Tone};
use report::table::Table;

use super::said;
use super::watch::{Outage, Watch};

/// How many characters the bars of the timeline have.
const BAR: usize = 40;

/// Keeps what the summary needs of the events of a run.
#[derive(Debug, Clone, Default)]
pub struct Tape {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    phases: Vec<PhaseTime>,
    steps: Vec<PlannedStep>,
    ending: Option<(Ending, Duration)>,
    reads: BTreeMap<String, u64>,
    changes: BTreeMap<String, u64>,
}

/// When a phase was at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseTime {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// When its first host came and its last one went, since the start of the run.
    pub times: Option<(Duration, Duration)>,
    /// When it was at work on which host, without the steps of others.
    pub hosts: BTreeMap<String, (Duration, Duration)>,
}

impl Sink for Tape {
    fn receive(&self, envelope: &Envelope) {
        let at = Duration::from_millis(envelope.at_ms);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &envelope.event {
            Event::RunStarted { phases, .. } => {
                let phase = |one: &phase::event::PhaseName| PhaseTime {
                    id: one.id.clone(),
                    title: one.title.clone(),
                    times: None,
                    hosts: BTreeMap::new(),
                };
                state.phases = phases.iter().map(phase).collect();
            }
            Event::PhaseStarted { phase } => {
                if let Some(one) = state.phases.iter_mut().find(|one| one.id == *phase) {
                    one.times = Some((at, at));
                }
            }
            Event::PhaseFinished { phase, .. } => {
                if let Some(one) = state.phases.iter_mut().find(|one| one.id == *phase)
                    && let Some((_, end)) = &mut one.times
                {
                    *end = at;
                }
            }
            Event::StepStarted { step } => {
                state.steps.push(step.clone());
                if let Some(one) = state.phases.iter_mut().find(|one| one.id == step.phase) {
                    one.hosts.entry(step.host.clone()).or_insert((at, at));
                }
            }
            Event::StepFinished { phase, host, .. } => {
                if let Some(one) = state.phases.iter_mut().find(|one| one.id == *phase)
                    && let Some((_, end)) = one.hosts.get_mut(host)
                {
                    *end = at;
                }
            }
            Event::CommandStarted {
                host, reads_only, ..
            } => {
                let counts = if *reads_only {
                    &mut state.reads
                } else {
                    &mut state.changes
                };
                *counts.entry(host.clone()).or_default() += 1;
            }
            Event::RunFinished { ending, .. } => state.ending = Some((*ending, at)),
            _ => {}
        }
    }
}

/// What a rehearsal has shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// How the run ended, and after which virtual time; none where it never began.
    pub ending: Option<(Ending, Duration)>,
    /// How long the rehearsal really took.
    pub real: Duration,
    /// The phases, with their times.
    pub phases: Vec<PhaseTime>,
    /// Steps that disturbed something.
    pub disruptive: Vec<PlannedStep>,
    /// When the API answered for the first time.
    pub first_answer: Option<Duration>,
    /// When it did not, after it had.
    pub outages: Vec<Outage>,
    /// What the swarms went through.
    pub quorum: fleet::Quorum,
    /// Hosts in their order: name, name in the configuration, traffic, reads, changes.
    pub hosts: Vec<HostCounts>,
    /// What was asked for and is not simulated.
    pub not_simulated: Vec<NotSimulated>,
    /// Events that the seed has drawn.
    pub drawn: Vec<EventSpec>,
    /// Events of the scenario that the run did not last long enough for.
    pub missed: Vec<EventSpec>,
}

/// What a host was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostCounts {
    /// Its host name.
    pub name: String,
    /// Its name in the configuration.
    pub address: String,
    /// What it has sent and received.
    pub traffic: fleet::connection::Traffic,
    /// How many commands only read.
    pub reads: u64,
    /// How many may change something.
    pub changes: u64,
    /// When steps worked on it, since the start of the run.
    pub spans: Vec<(Duration, Duration)>,
}

/// Puts together what a rehearsal has shown.
pub fn summarise(fleet: &Fleet, tape: &Tape, watch: &Watch, real: Duration) -> Summary {
    let state = tape.state.lock().unwrap_or_else(PoisonError::into_inner);
    let spans = |name: &str| {
        let spans = state
            .phases
            .iter()
            .filter_map(|phase| phase.hosts.get(name));
        spans.copied().collect::<Vec<_>>()
    };
    let hosts = fleet.world(|world| {
        let counts = |(index, host): (usize, &fleet::host::Host)| {
            let known = |name: &&String| state.reads.contains_key(*name) || host.aliases.is_empty();
            let address = host
                .aliases
                .iter()
                .find(known)
                .or_else(|| host.aliases.first());
            let address = address.cloned().unwrap_or_else(|| host.name.clone());
            HostCounts {
                name: host.name.clone(),
                traffic: world
                    .traffic
                    .get(&HostId(index))
                    .copied()
                    .unwrap_or_default(),
                reads: state.reads.get(&address).copied().unwrap_or(0),
                changes: state.changes.get(&address).copied().unwrap_or(0),
                spans: spans(&address),
                address,
            }
        };
        world.hosts.iter().enumerate().map(counts).collect()
    });
    let disturbs = |step: &&PlannedStep| step.disruption > Disruption::Live;
    Summary {
        ending: state.ending,
        real,
        phases: state.phases.clone(),
        disruptive: state.steps.iter().filter(disturbs).cloned().collect(),
        first_answer: watch.first_answer(),
        outages: watch.outages(fleet.elapsed()),
        quorum: fleet.quorum(),
        hosts,
        not_simulated: fleet.not_simulated(),
        drawn: Vec::new(),
        missed: Vec::new(),
    }
}

impl Summary {
    /// Returns the summary as text.
    pub fn text(&self, style: Style) -> String {
        let mut text = String::new();
        self.add_timeline(&mut text, style);
        self.add_disruption(&mut text, style);
        self.add_hosts(&mut text, style);
        self.add_events(&mut text, style);
        self.add_unknown(&mut text, style);
        let length = self.ending.map_or(Duration::ZERO, |(_, at)| at);
        let how = match self.ending.map(|(ending, _)| ending) {
            Some(Ending::Done | Ending::Planned) => style.paint(Tone::Good, "It would work"),
            Some(Ending::Partial) => style.paint(Tone::Warn, "It would work for most hosts"),
            Some(Ending::Failed | Ending::Panicked | Ending::Interrupted) | None => {
                style.paint(Tone::Bad, "It would fail")
            }
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "\n{how}: {} of simulated time, rehearsed in {}.",
            said(length),
            said(self.real)
        );
        text
    }

    fn add_timeline(&self, text: &mut String, style: Style) {
        let total = self
            .ending
            .map_or(Duration::ZERO, |(_, at)| at)
            .as_secs_f64();
        if total <= 0.0 {
            return;
        }
        let _ = writeln!(text, "\n{}", style.paint(Tone::Title, "Timeline"));
        let worked = self.phases.iter().filter(|phase| !phase.hosts.is_empty());
        let width = worked
            .clone()
            .map(|phase| phase.title.len())
            .max()
            .unwrap_or(0);
        for phase in worked {
            let starts = phase.hosts.values().map(|(start, _)| *start);
            let ends = phase.hosts.values().map(|(_, end)| *end);
            let (Some(start), Some(end)) = (starts.min(), ends.max()) else {
                continue;
            };
            let bar = bar(start.as_secs_f64() / total, end.as_secs_f64() / total);
            let _ = writeln!(
                text,
                "  {:width$}  {}  {:>10}  {} host{}",
                phase.title,
                style.paint(Tone::Good, &bar),
                said(end.saturating_sub(start)),
                phase.hosts.len(),
                if phase.hosts.len() == 1 { "" } else { "s" }
            );
        }
    }

    fn add_disruption(&self, text: &mut String, style: Style) {
        let _ = writeln!(text, "\n{}", style.paint(Tone::Title, "Disruption"));
        if self.disruptive.is_empty() {
            let _ = writeln!(
                text,
                "  nothing that runs was restarted, rebooted or removed"
            );
        }
        let mut grouped: Vec<(Disruption, &str, Vec<&str>)> = Vec::new();
        for step in &self.disruptive {
            let known = grouped
                .iter_mut()
                .find(|(disruption, what, _)| *disruption == step.disruption && *what == step.what);
            match known {
                Some((.., hosts)) => hosts.push(&step.host),
                None => grouped.push((step.disruption, &step.what, vec![&step.host])),
            }
        }
        for (disruption, what, hosts) in grouped {
            let shown = match hosts.len() {
                0..=4 => hosts.join(", "),
                count => format!("{}, … ({count} hosts)", hosts[..3].join(", ")),
            };
            let word = style.paint(Tone::Warn, &format!("{disruption:8}"));
            let _ = writeln!(text, "  {word} {what}: {shown}");
        }
        match self.first_answer {
            None => {
                let _ = writeln!(text, "  API      it never answered");
            }
            Some(at) => self.add_api(text, at),
        }
        let quorum = &self.quorum;
        if quorum.swarms > 0 {
            let lost = match quorum.lost {
                0 => "never lost".to_owned(),
                times => style.paint(Tone::Bad, &format!("lost {times} times")),
            };
            let most = quorum.most_managers_down;
            let _ = writeln!(
                text,
                "  quorum   {lost}; at most {most} manager{} away at the same time",
                if most == 1 { "" } else { "s" }
            );
        }
    }

    fn add_api(&self, text: &mut String, first: Duration) {
        let whole: Vec<&Outage> = self
            .outages
            .iter()
            .filter(|one| one.host.is_none())
            .collect();
        let total: Duration = whole.iter().map(|one| one.lasted).sum();
        if whole.is_empty() {
            let _ = writeln!(
                text,
                "  API      first answer after {}, and from then on always from some manager",
                said(first)
            );
        } else {
            let _ = writeln!(
                text,
                "  API      unreachable for {} in all ({} times) after its first answer at {}",
                said(total),
                whole.len(),
                said(first)
            );
        }
        let mut managers: BTreeMap<HostId, Duration> = BTreeMap::new();
        for outage in &self.outages {
            if let Some(host) = outage.host {
                *managers.entry(host).or_default() += outage.lasted;
            }
        }
        for (host, lasted) in managers {
            let name = self
                .hosts
                .get(host.0)
                .map_or("?", |one| one.address.as_str());
            let _ = writeln!(
                text,
                "           {name} did not answer for {}",
                said(lasted)
            );
        }
    }

    fn add_hosts(&self, text: &mut String, style: Style) {
        let _ = writeln!(text, "\n{}", style.paint(Tone::Title, "Hosts"));
        let mut table = Table::new([
            "HOST",
            "NAME",
            "COMMANDS",
            "CHANGES",
            "ROUND TRIPS",
            "SENT",
            "RECEIVED",
            "BUSY",
            "WHEN",
        ]);
        let total = self
            .ending
            .map_or(Duration::ZERO, |(_, at)| at)
            .as_secs_f64();
        for host in self.hosts.iter().take(40) {
            let traffic = host.traffic;
            table.row([
                Some(host.address.clone()),
                Some(host.name.clone()),
                Some(traffic.commands.to_string()),
                Some(host.changes.to_string()),
                Some(traffic.round_trips.to_string()),
                Some(bytes(traffic.sent)),
                Some(bytes(traffic.received)),
                Some(said(host.busy())),
                Some(host.bar(total)),
            ]);
        }
        for line in table.to_text().lines() {
            let _ = writeln!(text, "  {line}");
        }
        if self.hosts.len() > 40 {
            let _ = writeln!(text, "  … and {} more", self.hosts.len() - 40);
        }
    }

    fn add_events(&self, text: &mut String, style: Style) {
        let parts = [
            ("Drawn by chance (a scenario that repeats it)", &self.drawn),
            ("Never happened: the run was over before", &self.missed),
        ];
        for (title, events) in parts {
            if events.is_empty() {
                continue;
            }
            let _ = writeln!(text, "\n{}", style.paint(Tone::Title, title));
            let events: Vec<&EventSpec> = events.iter().collect();
            for line in scenario::text_of(&events).lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
    }

    fn add_unknown(&self, text: &mut String, style: Style) {
        if self.not_simulated.is_empty() {
            return;
        }
        let _ = writeln!(text, "\n{}", style.paint(Tone::Warn, "Not simulated"));
        let mut grouped: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for one in &self.not_simulated {
            let key = (one.program.as_str(), one.what.as_str());
            grouped.entry(key).or_default().push(&one.host);
        }
        for ((program, what), hosts) in grouped {
            let shown = match hosts.len() {
                0..=3 => hosts.join(", "),
                count => format!("{count} hosts"),
            };
            let _ = writeln!(text, "  {program}: {what} ({shown})");
        }
    }
}

impl HostCounts {
    /// Returns how long steps worked on it.
    pub fn busy(&self) -> Duration {
        self.spans
            .iter()
            .map(|(start, end)| end.saturating_sub(*start))
            .sum()
    }

    /// Draws when steps worked on it, in half the width of the timeline.
    fn bar(&self, total: f64) -> String {
        if total <= 0.0 {
            return String::new();
        }
        let cells = BAR / 2;
        let cell =
            |time: Duration| ((time.as_secs_f64() / total * cells as f64) as usize).min(cells - 1);
        let is_busy = |at: &usize| {
            self.spans
                .iter()
                .any(|(start, end)| (cell(*start)..=cell(*end)).contains(at))
        };
        (0..cells)
            .map(|at| if is_busy(&at) { '█' } else { '·' })
            .collect()
    }
}

fn bytes(count: u64) -> String {
    match count {
        0..=1023 => format!("{count} B"),
        1024..=1_048_575 => format!("{} KiB", count / 1024),
        _ => format!("{:.1} MiB", count as f64 / 1_048_576.0),
    }
}

/// Draws when something was at work.
fn bar(from: f64, to: f64) -> String {
    let cell = |part: f64| ((part * BAR as f64) as usize).min(BAR - 1);
    let (first, last) = (cell(from), cell(to));
    (0..BAR)
        .map(|at| {
            if (first..=last).contains(&at) {
                '█'
            } else {
                '·'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stay_in_their_place() {
        assert_eq!(bar(0.0, 1.0).chars().filter(|one| *one == '█').count(), BAR);
        assert_eq!(bar(1.0, 1.0).chars().filter(|one| *one == '█').count(), 1);
        assert_eq!(bar(0.5, 0.5).chars().count(), BAR);
    }
}
