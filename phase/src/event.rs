//! The stream of events: what happens in a run, as data.
//!
//! Every run has exactly one first event ([`Event::RunStarted`]) and exactly one last
//! ([`Event::RunFinished`]), also when it is interrupted or panics. Nothing here is coloured or
//! worded for a screen; `report` makes sentences.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::failure::Failure;
use crate::plan::{PlanReport, PlannedStep};

/// One event with its place in the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Place in the stream, from 0, without gaps.
    pub index: u64,
    /// Milliseconds since the run started.
    pub at_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// A phase of the run as the first event lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseName {
    /// Id (`install-mke`).
    pub id: String,
    /// Title ("Install MKE components").
    pub title: String,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Everything is as the configuration says.
    Done,
    /// Only looked; the plan says what would change, if anything.
    Planned,
    /// Done, but for hosts that were set aside.
    Partial,
    /// A phase failed.
    Failed,
    /// Stopped by a signal or by `--timeout`.
    Interrupted,
    /// The program itself failed.
    Panicked,
}

/// Which output stream of a command a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The first event.
    RunStarted {
        /// Id of the run, unique.
        run_id: String,
        /// Version of launchpad.
        version: String,
        /// The command (`apply`).
        command: String,
        /// Name of the cluster.
        cluster: String,
        /// RFC 3339 time of the start.
        started_at: String,
        /// Names of the hosts in configuration order.
        hosts: Vec<String>,
        /// The phases in their order.
        phases: Vec<PhaseName>,
    },
    /// The whole plan: after discovery, and again where it had to be made anew.
    Planned {
        /// The plan.
        plan: PlanReport,
    },
    /// The first host is in this phase.
    PhaseStarted {
        /// Id of the phase.
        phase: String,
    },
    /// No host had anything to do.
    PhaseSkipped {
        /// Id of the phase.
        phase: String,
        /// Why, as a full phrase.
        reason: String,
    },
    /// The last host is through.
    PhaseFinished {
        /// Id of the phase.
        phase: String,
        /// Whether every host got through.
        ok: bool,
        /// From its first host to its last, in milliseconds.
        duration_ms: u64,
    },
    /// A step of the plan starts.
    StepStarted {
        /// The step.
        step: PlannedStep,
    },
    /// A step of the plan has ended.
    StepFinished {
        /// Id of the phase.
        phase: String,
        /// Name of the host.
        host: String,
        /// Whether it did what it promised.
        ok: bool,
        /// How long it took, in milliseconds.
        duration_ms: u64,
    },
    /// Something was found out about a host or the cluster.
    FactGathered {
        /// Name of the host; absent for the cluster.
        host: Option<String>,
        /// Name of the fact.
        fact: String,
        /// Its value.
        value: serde_json::Value,
    },
    /// A command was sent to a host.
    CommandStarted {
        /// Name of the host.
        host: String,
        /// Number of the command, unique in the run.
        id: u64,
        /// The command or its title, redacted.
        command: String,
        /// Whether it only reads.
        reads_only: bool,
    },
    /// A command printed a line.
    OutputLine {
        /// Name of the host.
        host: String,
        /// Number of the command.
        id: u64,
        /// The stream it came from.
        stream: Stream,
        /// The line, redacted, without control characters.
        line: String,
    },
    /// A command ended.
    CommandFinished {
        /// Name of the host.
        host: String,
        /// Number of the command.
        id: u64,
        /// How it ended (`exit status 0`, `connection lost`).
        status: String,
        /// How long it took, in milliseconds.
        duration_ms: u64,
    },
    /// Something is tried again.
    Retrying {
        /// Name of the host.
        host: String,
        /// What is tried.
        what: String,
        /// The number of the try that failed, from 1.
        attempt: u32,
        /// The pause before the next one, in milliseconds.
        delay_ms: u64,
        /// Why the last try failed.
        error: String,
    },
    /// A long step says how far it is.
    Progress {
        /// Id of the phase.
        phase: String,
        /// Name of the host.
        host: String,
        /// What is going on, as a phrase.
        message: String,
    },
    /// Something the user should know, that does not stop the run.
    Warning {
        /// Name of the host, where it is about one.
        host: Option<String>,
        /// The warning, as a phrase.
        message: String,
        /// One step that the user can take.
        hint: Option<String>,
    },
    /// Something failed.
    Failed {
        /// The failure.
        failure: Failure,
    },
    /// A host leaves the run; the others go on.
    SetAside {
        /// Name of the host.
        host: String,
        /// Why.
        failure: Failure,
    },
    /// What a failed phase had made was removed again.
    CleanedUp {
        /// Id of the phase.
        phase: String,
        /// Name of the host.
        host: String,
        /// Whether that worked.
        ok: bool,
    },
    /// No new step starts from here on.
    Stopping {
        /// Why (`signal 2`, `timeout`, `lock lost`, `failed`).
        reason: String,
    },
    /// The last event.
    RunFinished {
        /// How the run ended.
        ending: Ending,
        /// Steps that were carried out.
        steps_done: u64,
        /// Hosts that were set aside, by name.
        set_aside: Vec<String>,
        /// Length of the run, in milliseconds.
        duration_ms: u64,
    },
}

/// Takes events as they happen. Called on the run's own task: it must not block for long.
pub trait Sink: Send + Sync {
    /// Takes one event.
    fn receive(&self, envelope: &Envelope);
}

/// Numbers events and hands them to the sinks.
#[derive(Clone)]
pub struct Emitter {
    inner: Arc<EmitterInner>,
}

struct EmitterInner {
    started: Instant,
    sinks: Vec<Arc<dyn Sink>>,
    next: Mutex<Numbering>,
}

#[derive(Default)]
struct Numbering {
    next: u64,
    finished: bool,
}

impl Emitter {
    /// Makes an emitter; its clock starts now.
    pub fn new(sinks: Vec<Arc<dyn Sink>>) -> Self {
        let inner = EmitterInner {
            started: Instant::now(),
            sinks,
            next: Mutex::new(Numbering::default()),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Hands an event to every sink, in one order for all of them.
    ///
    /// After [`Event::RunFinished`] nothing more is handed on.
    pub fn emit(&self, event: Event) {
        let mut numbering = self
            .inner
            .next
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if numbering.finished {
            return;
        }
        numbering.finished = matches!(event, Event::RunFinished { .. });
        let envelope = Envelope {
            index: numbering.next,
            at_ms: self.elapsed_ms(),
            event,
        };
        numbering.next += 1;
        for sink in &self.inner.sinks {
            sink.receive(&envelope);
        }
    }

    /// Returns the milliseconds since the emitter was made.
    pub fn elapsed_ms(&self) -> u64 {
        millis(self.inner.started.elapsed())
    }
}

/// Returns whole milliseconds, saturating.
pub fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
