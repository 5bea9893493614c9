//! A run from its first event to its last: observe, check, plan, lock, walk, close.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use crate::context::Context;
use crate::domain::{Domain, HostId, Roster};
use crate::event::{Emitter, Ending, Event, PhaseName, millis};
use crate::failure::Failure;
use crate::fold::fold;
use crate::limits::Limits;
use crate::lock::{self, LockRecord, LockStore};
use crate::phases::{Check, Closing, Observe, Phase, Severity};
use crate::plan::PlanReport;
use crate::stop::{Stop, StopReason};
use crate::walk::{Rules, walk};

/// How long the tidying at the end of a run may take.
const CLOSING: Duration = Duration::from_secs(30);

/// How long leaving at once may take.
const LEAVING: Duration = Duration::from_secs(2);

/// The phases of one command of a product.
pub struct Manager<D: Domain> {
    /// Look at the hosts, in this order.
    pub observe: Vec<Box<dyn Observe<D>>>,
    /// Judge what was seen; all complaints are reported at once.
    pub checks: Vec<Box<dyn Check<D>>>,
    /// Change what has to be changed, in this order.
    pub list: Vec<Phase<D>>,
    /// Tidy up at the end, whatever it is.
    pub closing: Vec<Box<dyn Closing<D>>>,
}

/// What a run plays on.
pub struct Stage<'a, D: Domain> {
    /// Configuration and host handles.
    pub shared: Arc<D::Shared>,
    /// The names of the hosts.
    pub roster: Roster,
    /// Where events go; the observers of the host handles use the same.
    pub emitter: Emitter,
    /// Where the run lock lives; none for a command that never changes anything.
    pub store: Option<&'a dyn LockStore>,
    /// The stop signal.
    pub stop: Stop,
}

/// How far a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Observe and check only (`describe`): hosts that cannot be reached are reported, not fatal.
    Observe,
    /// Observe, check and plan.
    Plan,
    /// Everything.
    Run,
}

/// What a run is told.
pub struct Options {
    /// Id of the run, unique.
    pub run_id: String,
    /// Version of launchpad.
    pub version: String,
    /// The command (`apply`).
    pub command: String,
    /// Name of the cluster.
    pub cluster: String,
    /// RFC 3339 time of the start.
    pub started_at: String,
    /// `user@machine`, for the run lock.
    pub owner: String,
    /// How far to go.
    pub mode: Mode,
    /// Bounds by kind of work.
    pub limits: Limits,
    /// How many hosts may be set aside (`--allow-unreachable`).
    pub allow_unreachable: usize,
    /// Whether a failed phase removes what it made (`--disable-cleanup` says no).
    pub clean_up: bool,
    /// Stop gracefully after this time (`--timeout`).
    pub timeout: Option<Duration>,
    /// Take the run lock over (`--break-lock`).
    pub break_lock: bool,
}

/// How a run ended, with all that is known then.
pub struct RunReport<D: Domain> {
    /// How it ended.
    pub ending: Ending,
    /// The plan that was shown.
    pub plan: PlanReport,
    /// The facts of the hosts that could be observed.
    pub facts: BTreeMap<HostId, D::Facts>,
    /// The facts of the cluster.
    pub cluster: D::Cluster,
    /// Every failure, in the order it was found.
    pub failures: Vec<Failure>,
    /// The hosts that were set aside.
    pub set_aside: Vec<(HostId, Failure)>,
    /// Why the run stopped early, if it did.
    pub stopped: Option<StopReason>,
}

/// The way a run has come, kept outside of it so that an interruption can tell of it.
struct Outcome<D: Domain> {
    report: RunReport<D>,
    steps_done: u64,
    lock: Option<LockRecord>,
}

impl<D: Domain> Default for Outcome<D> {
    fn default() -> Self {
        Self {
            report: RunReport {
                ending: Ending::Done,
                plan: PlanReport::default(),
                facts: BTreeMap::new(),
                cluster: D::Cluster::default(),
                failures: Vec::new(),
                set_aside: Vec::new(),
                stopped: None,
            },
            steps_done: 0,
            lock: None,
        }
    }
}

impl<D: Domain> Manager<D> {
    /// Runs the phases. Never fails itself: the report says how it ended.
    pub async fn run(&self, stage: Stage<'_, D>, options: &Options) -> RunReport<D> {
        let Stage {
            shared,
            roster,
            emitter,
            store,
            stop,
        } = stage;
        emitter.emit(self.started(options, &roster));
        let cx = Context {
            shared,
            stop: stop.clone(),
            limits: options.limits.clone(),
            roster,
            phase: "",
            emitter,
        };
        let mut outcome = Outcome::default();
        let panicked = {
            let body =
                AssertUnwindSafe(self.body(&cx, options, store, &mut outcome)).catch_unwind();
            tokio::select! {
                biased;
                () = stop.immediate() => false,
                () = expire(options.timeout, &cx) => false,
                result = body => result.is_err(),
            }
        };
        if let (Some(store), Some(record)) = (store, outcome.lock.take()) {
            // Left at once, or panicked: whoever comes next shall not have to wait for 60 s.
            let _ = tokio::time::timeout(LEAVING, store.release(&record)).await;
        }
        self.finish(&cx, outcome, panicked, options.mode)
    }

    fn started(&self, options: &Options, roster: &Roster) -> Event {
        let observed = self.observe.iter().map(|phase| (phase.id(), phase.title()));
        let checked = self.checks.iter().map(|phase| (phase.id(), phase.title()));
        let listed = self.list.iter().map(|phase| (phase.id(), phase.title()));
        Event::RunStarted {
            run_id: options.run_id.clone(),
            version: options.version.clone(),
            command: options.command.clone(),
            cluster: options.cluster.clone(),
            started_at: options.started_at.clone(),
            hosts: roster.names().to_vec(),
            phases: observed
                .chain(checked)
                .chain(listed)
                .map(|(id, title)| PhaseName {
                    id: id.to_owned(),
                    title: title.to_owned(),
                })
                .collect(),
        }
    }

    async fn body(
        &self,
        cx: &Context<D>,
        options: &Options,
        store: Option<&dyn LockStore>,
        outcome: &mut Outcome<D>,
    ) {
        self.discover(cx, options, outcome).await;
        let go_on = outcome.report.failures.is_empty() && !cx.stop.is_stopping();
        if options.mode == Mode::Observe || !go_on {
            return self.close(cx, outcome).await;
        }
        self.show_plan(cx, outcome);
        if options.mode == Mode::Run && !outcome.report.plan.steps.is_empty() {
            match store.filter(|_| outcome.report.plan.has_changes()) {
                None => self.walk(cx, options, outcome).await,
                Some(store) => self.locked_walk(cx, options, store, outcome).await,
            }
        }
        self.close(cx, outcome).await;
    }

    /// Observes all hosts and judges what was seen.
    async fn discover(&self, cx: &Context<D>, options: &Options, outcome: &mut Outcome<D>) {
        let facts = self.observe_all(cx, options, outcome).await;
        D::summarise(&cx.shared, &facts, &mut outcome.report.cluster);
        outcome.report.facts = facts;
        let judge = outcome.report.failures.is_empty() && !cx.stop.is_stopping();
        if options.mode == Mode::Observe || !judge {
            return;
        }
        for check in &self.checks {
            let started = Instant::now();
            cx.emit(Event::PhaseStarted {
                phase: check.id().to_owned(),
            });
            let report = &outcome.report;
            let complaints = check.check(&cx.shared, &report.cluster, &report.facts);
            let mut ok = true;
            for complaint in complaints {
                let host = complaint.host.map(|host| cx.roster.name(host).to_owned());
                if complaint.severity == Severity::Warning {
                    cx.warn(complaint.host, complaint.message, complaint.hint.as_deref());
                    continue;
                }
                ok = false;
                let mut failure = Failure::new(complaint.message).in_phase(check.id());
                failure.host = host;
                failure.hint = complaint.hint;
                cx.emit(Event::Failed {
                    failure: failure.clone(),
                });
                outcome.report.failures.push(failure);
            }
            let duration_ms = millis(started.elapsed());
            cx.emit(Event::PhaseFinished {
                phase: check.id().to_owned(),
                ok,
                duration_ms,
            });
        }
    }

    async fn observe_all(
        &self,
        cx: &Context<D>,
        options: &Options,
        outcome: &mut Outcome<D>,
    ) -> BTreeMap<HostId, D::Facts> {
        let started = Instant::now();
        for phase in &self.observe {
            cx.emit(Event::PhaseStarted {
                phase: phase.id().to_owned(),
            });
        }
        let mut running: FuturesUnordered<_> = cx
            .roster
            .ids()
            .map(|host| self.observe_one(cx, host))
            .collect();
        let mut failed: BTreeMap<HostId, Failure> = BTreeMap::new();
        let mut facts = BTreeMap::new();
        while let Some((host, seen)) = running.next().await {
            match seen {
                Ok(Some(seen)) => drop(facts.insert(host, seen)),
                Ok(None) => {}
                Err(failure) => drop(failed.insert(host, failure)),
            }
        }
        let mut budget = options.allow_unreachable;
        for (host, failure) in failed {
            let name = cx.roster.name(host);
            if budget > 0 && D::may_be_set_aside(&cx.shared, host) {
                budget -= 1;
                cx.emit(Event::SetAside {
                    host: name.to_owned(),
                    failure: failure.clone(),
                });
                outcome.report.set_aside.push((host, failure));
            } else {
                cx.emit(Event::Failed {
                    failure: failure.clone(),
                });
                outcome.report.failures.push(failure);
            }
        }
        let ok = outcome.report.failures.is_empty();
        let duration_ms = millis(started.elapsed());
        for phase in &self.observe {
            cx.emit(Event::PhaseFinished {
                phase: phase.id().to_owned(),
                ok,
                duration_ms,
            });
        }
        facts
    }

    async fn observe_one(
        &self,
        cx: &Context<D>,
        host: HostId,
    ) -> (HostId, Result<Option<D::Facts>, Failure>) {
        let mut facts = D::Facts::default();
        for phase in &self.observe {
            if !phase.is_needed(&cx.shared, host, &facts) {
                continue;
            }
            let Some(_permits) = cx.limits.enter(phase.work(), &cx.stop).await else {
                return (host, Ok(None));
            };
            let cx = Context {
                phase: phase.id(),
                ..cx.clone()
            };
            // Looking changes nothing: it can be left at any point.
            let seen = tokio::select! {
                biased;
                () = cx.stop.interrupted() => return (host, Ok(None)),
                seen = phase.observe(&cx, host, &mut facts) => seen,
            };
            if let Err(failure) = seen {
                let failure = failure.on_host(cx.roster.name(host)).in_phase(phase.id());
                return (host, Err(failure));
            }
        }
        (host, Ok(Some(facts)))
    }

    fn show_plan(&self, cx: &Context<D>, outcome: &mut Outcome<D>) {
        let report = &mut outcome.report;
        report.plan = fold(
            &self.list,
            &cx.shared,
            &cx.roster,
            &report.facts,
            &report.cluster,
        );
        cx.emit(Event::Planned {
            plan: report.plan.clone(),
        });
    }

    async fn locked_walk(
        &self,
        cx: &Context<D>,
        options: &Options,
        store: &dyn LockStore,
        outcome: &mut Outcome<D>,
    ) {
        let record = LockRecord {
            run_id: options.run_id.clone(),
            owner: options.owner.clone(),
            command: options.command.clone(),
            started_at: options.started_at.clone(),
        };
        let waiting = |by: &LockRecord| {
            let message = format!(
                "`{}` runs `launchpad {}` on this cluster since {}: waiting for a sign of life",
                by.owner, by.command, by.started_at
            );
            cx.warn(None, message, None);
        };
        let taken = lock::take(store, &record, options.break_lock, &cx.stop, waiting).await;
        let undisturbed = match taken {
            Ok(undisturbed) => {
                outcome.lock = Some(record.clone());
                undisturbed
            }
            Err(failure) => return self.refuse(cx, outcome, failure),
        };
        let walked = async {
            if !undisturbed {
                // Another run has ended since we looked: look again, and show the new plan.
                outcome.report.set_aside.clear();
                self.discover(cx, options, outcome).await;
                if !outcome.report.failures.is_empty() || cx.stop.is_stopping() {
                    return;
                }
                self.show_plan(cx, outcome);
            }
            self.walk(cx, options, outcome).await;
        };
        let lost = {
            let mut walked = std::pin::pin!(walked);
            let keeping = lock::keep(store, &record, &cx.stop);
            tokio::select! {
                () = &mut walked => None,
                failure = keeping => {
                    // Running steps end; no new one starts.
                    walked.await;
                    Some(failure)
                }
            }
        };
        if let Some(failure) = lost {
            self.refuse(cx, outcome, failure);
        }
        outcome.lock = None;
        if let Err(failure) = store.release(&record).await {
            cx.warn(
                None,
                format!("the run lock could not be given back: {failure}"),
                None,
            );
        }
    }

    fn refuse(&self, cx: &Context<D>, outcome: &mut Outcome<D>, failure: Failure) {
        cx.emit(Event::Failed {
            failure: failure.clone(),
        });
        outcome.report.failures.push(failure);
    }

    async fn walk(&self, cx: &Context<D>, options: &Options, outcome: &mut Outcome<D>) {
        let report = &mut outcome.report;
        let used = report.set_aside.len();
        let rules = Rules {
            shown: &report.plan,
            budget: options.allow_unreachable.saturating_sub(used),
            clean_up: options.clean_up,
        };
        let facts = std::mem::take(&mut report.facts);
        let walked = walk(cx, &self.list, &rules, facts, report.cluster.clone()).await;
        report.facts = walked.facts;
        report.cluster = walked.cluster;
        report.failures.extend(walked.failures);
        report.set_aside.extend(walked.set_aside);
        outcome.steps_done += walked.steps_done;
    }

    async fn close(&self, cx: &Context<D>, outcome: &mut Outcome<D>) {
        let closing = async {
            let mut running: FuturesUnordered<_> = outcome
                .report
                .facts
                .iter_mut()
                .map(|(&host, facts)| self.close_one(cx, host, facts))
                .collect();
            while running.next().await.is_some() {}
        };
        if tokio::time::timeout(CLOSING, closing).await.is_err() {
            cx.warn(None, "not every host could be tidied within 30 s", None);
        }
    }

    async fn close_one(&self, cx: &Context<D>, host: HostId, facts: &mut D::Facts) {
        for phase in &self.closing {
            let cx = Context {
                phase: phase.id(),
                ..cx.clone()
            };
            if let Err(failure) = phase.close(&cx, host, facts).await {
                cx.warn(Some(host), failure.to_string(), None);
            }
        }
    }

    fn finish(
        &self,
        cx: &Context<D>,
        outcome: Outcome<D>,
        panicked: bool,
        mode: Mode,
    ) -> RunReport<D> {
        let mut report = outcome.report;
        report.stopped = cx.stop.reason();
        let interrupted = matches!(
            report.stopped,
            Some(StopReason::Signal(_) | StopReason::Timeout)
        );
        report.ending = if panicked {
            Ending::Panicked
        } else if interrupted {
            Ending::Interrupted
        } else if !report.failures.is_empty() || report.stopped.is_some() {
            Ending::Failed
        } else if !report.set_aside.is_empty() {
            Ending::Partial
        } else if mode == Mode::Plan {
            Ending::Planned
        } else {
            Ending::Done
        };
        cx.emit(Event::RunFinished {
            ending: report.ending,
            steps_done: outcome.steps_done,
            set_aside: report
                .set_aside
                .iter()
                .map(|(host, _)| cx.roster.name(*host).to_owned())
                .collect(),
            duration_ms: cx.emitter.elapsed_ms(),
        });
        report
    }
}

/// Stops gracefully when the time is over, and says why whenever the run begins to stop. Ends
/// only where running steps have not ended two minutes after that.
async fn expire<D: Domain>(timeout: Option<Duration>, cx: &Context<D>) {
    let announce = async {
        cx.stop.stopping().await;
        if let Some(reason) = cx.stop.reason() {
            let reason = match reason {
                StopReason::Failed => "failed".to_owned(),
                StopReason::Signal(number) => format!("signal {number}"),
                StopReason::Timeout => "timeout".to_owned(),
                StopReason::LockLost => "lock lost".to_owned(),
            };
            cx.emit(Event::Stopping { reason });
        }
        std::future::pending::<()>().await;
    };
    let deadline = async {
        let Some(timeout) = timeout else {
            return std::future::pending().await;
        };
        tokio::time::sleep(timeout).await;
        cx.stop.gracefully(StopReason::Timeout);
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = announce => {}
        () = deadline => {}
    }
}

/// How long running steps may take to end once `--timeout` is over.
const GRACE: Duration = Duration::from_secs(120);
