//! The state of a run, worked out from its events.
//!
//! Pure: the same events give the same state, live or read from a file. Every sink reads this
//! instead of keeping books of its own.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use phase::event::PhaseName;
use phase::{Ending, Envelope, Event, Failure, PlanReport, PlannedStep};

/// How many of the slowest steps are kept.
const SLOWEST: usize = 3;

/// The state of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fold {
    /// What the first event said; none before it.
    pub run: Option<Run>,
    /// The titles of the phases.
    pub titles: Titles,
    /// The phases, in their order.
    pub phases: Vec<PhaseState>,
    /// The steps that are running, by phase and host.
    pub steps: BTreeMap<(String, String), RunningStep>,
    /// The commands that are running, by their number.
    pub commands: BTreeMap<u64, RunningCommand>,
    /// The step that the last event ended.
    pub ended_step: Option<EndedStep>,
    /// The command that the last event ended.
    pub ended_command: Option<RunningCommand>,
    /// Hosts of which something was found out.
    pub observed: BTreeSet<String>,
    /// Failures, in the order they came.
    pub failures: Vec<Failure>,
    /// Hosts that were set aside, with the reason.
    pub set_aside: Vec<(String, Failure)>,
    /// Counts of what happened.
    pub counts: Counts,
    /// The slowest steps that have ended, slowest first.
    pub slowest_steps: Vec<EndedStep>,
    /// The time that each host has spent in steps, in milliseconds.
    pub host_ms: BTreeMap<String, u64>,
    /// Why no new step starts, if so.
    pub stopping: Option<String>,
    /// How the run ended, once it has.
    pub ended: Option<Ended>,
    /// Time of the last event, in milliseconds since the start.
    pub at_ms: u64,
}

/// What the first event says of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Id of the run.
    pub id: String,
    /// Version of launchpad.
    pub version: String,
    /// The command.
    pub command: String,
    /// Name of the cluster.
    pub cluster: String,
    /// Time of the start; none where it could not be read.
    pub started_at: Option<Timestamp>,
    /// Names of the hosts.
    pub hosts: Vec<String>,
}

/// The titles of phases by their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Titles(BTreeMap<String, String>);

impl Titles {
    /// Takes the titles from a list of phases.
    pub fn new(phases: &[PhaseName]) -> Self {
        let pair = |phase: &PhaseName| (phase.id.clone(), phase.title.clone());
        Self(phases.iter().map(pair).collect())
    }

    /// Returns the title of a phase; its id where there is none.
    pub fn of<'a>(&'a self, id: &'a str) -> &'a str {
        self.0.get(id).map_or(id, String::as_str)
    }
}

/// How far a phase is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseState {
    /// Id of the phase.
    pub id: String,
    /// Where it stands.
    pub status: PhaseStatus,
    /// Its hosts, with their steps.
    pub hosts: BTreeMap<String, HostSteps>,
}

/// Where a phase stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhaseStatus {
    /// No host is there yet.
    Waiting,
    /// Since this time, in milliseconds since the start of the run.
    Running {
        /// When the first host came.
        since_ms: u64,
    },
    /// Nothing to do.
    Skipped,
    /// Over.
    Finished {
        /// Whether every host got through.
        ok: bool,
    },
}

/// The steps of one host in one phase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HostSteps {
    /// How many there are, as far as is known.
    pub planned: usize,
    /// How many did what they promised.
    pub done: usize,
    /// Whether one failed.
    pub failed: bool,
}

/// A step that is running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningStep {
    /// The step.
    pub step: PlannedStep,
    /// When it started, in milliseconds since the start of the run.
    pub since_ms: u64,
    /// How far it says it is.
    pub progress: Option<String>,
}

/// A step that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedStep {
    /// Id of the phase.
    pub phase: String,
    /// Name of the host.
    pub host: String,
    /// What was done; the id of the phase where its start was not seen.
    pub what: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// A command that is running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningCommand {
    /// Name of the host.
    pub host: String,
    /// The command, redacted.
    pub command: String,
    /// When it started, in milliseconds since the start of the run.
    pub since_ms: u64,
}

/// Something that runs on a host, for a display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busy<'a> {
    /// Name of the host.
    pub host: &'a str,
    /// What is done there.
    pub what: &'a str,
    /// How far it says it is.
    pub progress: Option<&'a str>,
    /// Since when, in milliseconds since the start of the run.
    pub since_ms: u64,
}

/// Counts of what happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Steps that did what they promised.
    pub steps_done: u64,
    /// Steps that did not.
    pub steps_failed: u64,
    /// Commands that only read.
    pub reads: u64,
    /// Commands that may change something.
    pub changes: u64,
    /// Tries that were repeated.
    pub retries: u64,
    /// Warnings.
    pub warnings: u64,
    /// Plans made, the first one included.
    pub plans: u64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// In which way.
    pub ending: Ending,
    /// Steps that were carried out.
    pub steps_done: u64,
    /// Length of the run, in milliseconds.
    pub duration_ms: u64,
}

impl Fold {
    /// Takes in one event.
    pub fn apply(&mut self, envelope: &Envelope) {
        self.at_ms = envelope.at_ms;
        self.ended_step = None;
        self.ended_command = None;
        match &envelope.event {
            Event::RunStarted { .. } => self.begin(&envelope.event),
            Event::Planned { plan } => self.take_plan(plan),
            Event::PhaseStarted { phase } => {
                let since_ms = envelope.at_ms;
                self.phase_mut(phase).status = PhaseStatus::Running { since_ms };
            }
            Event::PhaseSkipped { phase, reason: _ } => {
                self.phase_mut(phase).status = PhaseStatus::Skipped;
            }
            Event::PhaseFinished { phase, ok, .. } => {
                self.phase_mut(phase).status = PhaseStatus::Finished { ok: *ok };
            }
            Event::StepStarted { step } => self.start_step(step, envelope.at_ms),
            Event::StepFinished {
                phase,
                host,
                ok,
                duration_ms,
            } => self.end_step(phase, host, *ok, *duration_ms),
            Event::FactGathered { host, .. } => self.observed.extend(host.clone()),
            Event::CommandStarted {
                host,
                id,
                command,
                reads_only,
            } => {
                *match reads_only {
                    true => &mut self.counts.reads,
                    false => &mut self.counts.changes,
                } += 1;
                let command = RunningCommand {
                    host: host.clone(),
                    command: command.clone(),
                    since_ms: envelope.at_ms,
                };
                self.commands.insert(*id, command);
            }
            Event::OutputLine { .. } | Event::CleanedUp { .. } => {}
            Event::CommandFinished { id, .. } => self.ended_command = self.commands.remove(id),
            Event::Retrying { .. } => self.counts.retries += 1,
            Event::Progress {
                phase,
                host,
                message,
            } => {
                if let Some(running) = self.steps.get_mut(&(phase.clone(), host.clone())) {
                    running.progress = Some(message.clone());
                }
            }
            Event::Warning { .. } => self.counts.warnings += 1,
            Event::Failed { failure } => self.failures.push(failure.clone()),
            Event::SetAside { host, failure } => self.put_aside(host, failure),
            Event::Stopping { reason } => self.stopping = Some(reason.clone()),
            Event::RunFinished {
                ending,
                steps_done,
                set_aside,
                duration_ms,
            } => {
                // A run that looked again may have found a host that it had set aside before.
                self.set_aside.retain(|(host, _)| set_aside.contains(host));
                self.ended = Some(Ended {
                    ending: *ending,
                    steps_done: *steps_done,
                    duration_ms: *duration_ms,
                });
            }
        }
    }

    /// Returns the wall-clock time of the start of the run, where it is known.
    pub fn started_at(&self) -> Option<Timestamp> {
        self.run.as_ref()?.started_at
    }

    /// Returns a phase that has been listed or has started.
    pub fn phase(&self, id: &str) -> Option<&PhaseState> {
        self.phases.iter().find(|phase| phase.id == id)
    }

    /// Returns how many hosts of a phase are through, and how many there are.
    ///
    /// A phase that only looks has no steps: the hosts of which something was found out count.
    pub fn hosts_through(&self, phase: &PhaseState) -> (usize, usize) {
        if phase.hosts.is_empty() {
            let all = self.run.as_ref().map_or(0, |run| run.hosts.len());
            return (self.observed.len().min(all), all);
        }
        let through = phase.hosts.values().filter(|host| host.is_through());
        (through.count(), phase.hosts.len())
    }

    /// Returns what is running, longest first: steps, or commands where no step is running.
    pub fn busy(&self) -> Vec<Busy<'_>> {
        let mut busy: Vec<Busy<'_>> = if self.steps.is_empty() {
            self.commands.values().map(Busy::command).collect()
        } else {
            self.steps.values().map(Busy::step).collect()
        };
        busy.sort_by_key(|busy| busy.since_ms);
        busy
    }

    /// Returns the hosts that spent most time in steps, slowest first.
    pub fn slowest_hosts(&self) -> Vec<(&str, u64)> {
        let mut hosts: Vec<(&str, u64)> = self
            .host_ms
            .iter()
            .map(|(host, ms)| (host.as_str(), *ms))
            .collect();
        hosts.sort_by_key(|(_, ms)| std::cmp::Reverse(*ms));
        hosts.truncate(SLOWEST);
        hosts
    }

    fn begin(&mut self, event: &Event) {
        let Event::RunStarted {
            run_id,
            version,
            command,
            cluster,
            started_at,
            hosts,
            phases,
        } = event
        else {
            return;
        };
        self.run = Some(Run {
            id: run_id.clone(),
            version: version.clone(),
            command: command.clone(),
            cluster: cluster.clone(),
            started_at: started_at.parse().ok(),
            hosts: hosts.clone(),
        });
        self.titles = Titles::new(phases);
        self.phases = phases
            .iter()
            .map(|phase| PhaseState::waiting(&phase.id))
            .collect();
    }

    fn take_plan(&mut self, plan: &PlanReport) {
        self.counts.plans += 1;
        for phase in &mut self.phases {
            // What was done stays; what was only planned is planned anew.
            phase.hosts.retain(|_, steps| steps.done > 0);
            for steps in phase.hosts.values_mut() {
                steps.planned = steps.done;
            }
        }
        for step in &plan.steps {
            let phase = self.phase_mut(&step.phase);
            phase.hosts.entry(step.host.clone()).or_default().planned += 1;
        }
    }

    fn start_step(&mut self, step: &PlannedStep, at_ms: u64) {
        let phase = self.phase_mut(&step.phase);
        let steps = phase.hosts.entry(step.host.clone()).or_default();
        // A later plan may find more to do than the one that was shown.
        steps.planned = steps.planned.max(steps.done + 1);
        let running = RunningStep {
            step: step.clone(),
            since_ms: at_ms,
            progress: None,
        };
        let key = (step.phase.clone(), step.host.clone());
        self.steps.insert(key, running);
    }

    fn end_step(&mut self, phase: &str, host: &str, ok: bool, duration_ms: u64) {
        let steps = self
            .phase_mut(phase)
            .hosts
            .entry(host.to_owned())
            .or_default();
        if ok {
            steps.done += 1;
            self.counts.steps_done += 1;
        } else {
            steps.failed = true;
            self.counts.steps_failed += 1;
        }
        let started = self.steps.remove(&(phase.to_owned(), host.to_owned()));
        let ended = EndedStep {
            phase: phase.to_owned(),
            host: host.to_owned(),
            what: started.map_or_else(|| phase.to_owned(), |running| running.step.what),
            duration_ms,
        };
        *self.host_ms.entry(host.to_owned()).or_default() += duration_ms;
        let place = self
            .slowest_steps
            .partition_point(|other| other.duration_ms >= duration_ms);
        self.slowest_steps.insert(place, ended.clone());
        self.slowest_steps.truncate(SLOWEST);
        self.ended_step = Some(ended);
    }

    fn put_aside(&mut self, host: &str, failure: &Failure) {
        self.set_aside.retain(|(other, _)| other != host);
        self.set_aside.push((host.to_owned(), failure.clone()));
    }

    fn phase_mut(&mut self, id: &str) -> &mut PhaseState {
        let place = self.phases.iter().position(|phase| phase.id == id);
        let place = place.unwrap_or_else(|| {
            self.phases.push(PhaseState::waiting(id));
            self.phases.len() - 1
        });
        &mut self.phases[place]
    }
}

/// Returns the wall-clock time of a moment of a run that started at `started_at`.
pub fn time_of(started_at: Option<Timestamp>, at_ms: u64) -> Option<Timestamp> {
    let since = SignedDuration::from_millis(i64::try_from(at_ms).unwrap_or(i64::MAX));
    started_at?.checked_add(since).ok()
}

impl PhaseState {
    fn waiting(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            status: PhaseStatus::Waiting,
            hosts: BTreeMap::new(),
        }
    }
}

impl HostSteps {
    fn is_through(self) -> bool {
        !self.failed && self.done >= self.planned
    }
}

impl<'a> Busy<'a> {
    fn step(running: &'a RunningStep) -> Self {
        Self {
            host: &running.step.host,
            what: &running.step.what,
            progress: running.progress.as_deref(),
            since_ms: running.since_ms,
        }
    }

    fn command(running: &'a RunningCommand) -> Self {
        Self {
            host: &running.host,
            what: &running.command,
            progress: None,
            since_ms: running.since_ms,
        }
    }
}
