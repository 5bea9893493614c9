//! Hosts walking the list of phases, each at its own pace, and the meetings on their way.
//!
//! A host that is invited to a meeting hands its facts in and stays until it is over; the last to
//! arrive takes the chair and carries the meeting out. A host that is not invited waits for its
//! end. When the run stops, a meeting that has not begun ends at once, so that nobody waits for a
//! host that will never come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::context::Context;
use crate::domain::{Assembly, Domain, HostId, HostView};
use crate::erased::{AnyHostPhase, AnyMeeting, AnyStep};
use crate::event::{Event, millis};
use crate::failure::Failure;
use crate::fold::describe;
use crate::phases::{Kind, Phase};
use crate::plan::{Disruption, Plan, PlanReport, broken_promises};
use crate::stop::StopReason;

/// What the walk of all hosts led to.
pub struct Walked<D: Domain> {
    /// The facts of every host, as they were last read.
    pub facts: BTreeMap<HostId, D::Facts>,
    /// The facts of the cluster.
    pub cluster: D::Cluster,
    /// Why the run failed: one failure a host.
    pub failures: Vec<Failure>,
    /// The hosts that were set aside, with the reason.
    pub set_aside: Vec<(HostId, Failure)>,
    /// Steps that were carried out.
    pub steps_done: u64,
}

/// What a walk is held to.
pub struct Rules<'a> {
    /// The plan that was shown: a step that is more disruptive stops the run.
    pub shown: &'a PlanReport,
    /// How many more hosts may be set aside.
    pub budget: usize,
    /// Whether a failed phase removes what it made.
    pub clean_up: bool,
}

/// Walks all hosts through `list`.
pub async fn walk<D: Domain>(
    cx: &Context<D>,
    list: &[Phase<D>],
    rules: &Rules<'_>,
    facts: BTreeMap<HostId, D::Facts>,
    cluster: D::Cluster,
) -> Walked<D> {
    let hosts: BTreeSet<HostId> = facts.keys().copied().collect();
    // Hosts that were set aside before the walk never come to a meeting.
    let absent = cx.roster.ids().filter(|id| !hosts.contains(id)).collect();
    let walks = Walks {
        cx,
        list,
        rules,
        places: list.iter().map(|_| Place::new(hosts.len())).collect(),
        state: Mutex::new(State {
            cluster: Arc::new(cluster),
            failures: Vec::new(),
            set_aside: Vec::new(),
            absent,
            budget: rules.budget,
            steps_done: 0,
        }),
    };
    let mut running: FuturesUnordered<_> = facts
        .into_iter()
        .map(|(host, facts)| walks.one(host, facts))
        .collect();
    let mut facts = BTreeMap::new();
    while let Some((host, left)) = running.next().await {
        facts.insert(host, left);
    }
    drop(running);
    let state = walks
        .state
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    Walked {
        facts,
        cluster: Arc::unwrap_or_clone(state.cluster),
        failures: state.failures,
        set_aside: state.set_aside,
        steps_done: state.steps_done,
    }
}

struct Walks<'a, D: Domain> {
    cx: &'a Context<D>,
    list: &'a [Phase<D>],
    rules: &'a Rules<'a>,
    places: Vec<Place<D>>,
    state: Mutex<State<D>>,
}

struct State<D: Domain> {
    /// Shared, not copied, by hosts that plan with it: it may know a thousand nodes.
    cluster: Arc<D::Cluster>,
    failures: Vec<Failure>,
    set_aside: Vec<(HostId, Failure)>,
    absent: BTreeSet<HostId>,
    budget: usize,
    steps_done: u64,
}

/// One entry of the list during the walk.
struct Place<D: Domain> {
    tally: Mutex<Tally>,
    meeting: Mutex<MeetingState<D>>,
    changed: watch::Sender<u64>,
}

/// Who has been where: a phase starts with its first host and finishes with its last.
struct Tally {
    started: Option<Instant>,
    to_come: usize,
    skipped: Option<String>,
    failed: bool,
}

struct MeetingState<D: Domain> {
    invited: Option<BTreeSet<HostId>>,
    arrived: BTreeMap<HostId, D::Facts>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Gathering,
    InSession,
    Over,
}

/// What a host does next at a meeting.
enum Turn<D: Domain> {
    /// Carry the meeting out with these hosts.
    Chair(BTreeMap<HostId, D::Facts>),
    /// The meeting is over, or will never be.
    Leave,
    /// Wait for the others, or for the end.
    Wait,
}

impl<D: Domain> Place<D> {
    fn new(hosts: usize) -> Self {
        Self {
            tally: Mutex::new(Tally {
                started: None,
                to_come: hosts,
                skipped: None,
                failed: false,
            }),
            meeting: Mutex::new(MeetingState {
                invited: None,
                arrived: BTreeMap::new(),
                stage: Stage::Gathering,
            }),
            changed: watch::Sender::new(0),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a host leaves the list before its end.
enum Left {
    /// The run is stopping.
    Stopped,
    /// A step of this host failed.
    Failed(Failure),
}

impl<D: Domain> Walks<'_, D> {
    async fn one(&self, host: HostId, mut facts: D::Facts) -> (HostId, D::Facts) {
        for (index, phase) in self.list.iter().enumerate() {
            let cx = Context {
                phase: phase.id(),
                ..self.cx.clone()
            };
            let result = match &phase.kind {
                Kind::Host(host_phase) => {
                    self.pass(&cx, index, host_phase.as_ref(), host, &mut facts)
                        .await
                }
                Kind::Meeting(meeting) => {
                    let (returned, result) =
                        self.attend(&cx, index, meeting.as_ref(), host, facts).await;
                    facts = returned;
                    result
                }
            };
            match result {
                Ok(()) => self.count(index, true),
                Err(left) => {
                    self.leave(index, host, left);
                    break;
                }
            }
        }
        (host, facts)
    }

    /// Takes one host through a host phase.
    async fn pass(
        &self,
        cx: &Context<D>,
        index: usize,
        phase: &dyn AnyHostPhase<D>,
        host: HostId,
        facts: &mut D::Facts,
    ) -> Result<(), Left> {
        if cx.stop.is_stopping() {
            return Err(Left::Stopped);
        }
        let cluster = Arc::clone(&lock(&self.state).cluster);
        let view = HostView {
            shared: cx.shared.as_ref(),
            cluster: cluster.as_ref(),
            host,
            facts,
        };
        let steps = match phase.plan(&view) {
            Plan::Skip(reason) => {
                self.skipped(index, reason);
                return Ok(());
            }
            Plan::Steps(steps) => steps,
        };
        for step in steps {
            self.hold_to_shown(phase.id(), &step)?;
            let Some(_permits) = cx.limits.enter(phase.work(), &cx.stop).await else {
                return Err(Left::Stopped);
            };
            let before = facts.clone();
            let mut promised = facts.clone();
            let view = HostView {
                shared: cx.shared.as_ref(),
                cluster: cluster.as_ref(),
                host,
                facts: &before,
            };
            phase.predict(&view, &step.change, &mut promised);
            let started = self.step_started(cx, index, &step, &before, &promised);
            let mut result = phase
                .run(cx, cluster.as_ref(), host, &step.change, facts)
                .await;
            if result.is_ok() {
                result = kept_promises::<D>(&before, &promised, facts);
            }
            self.step_finished(cx, &step, started, result.is_ok());
            if let Err(failure) = result {
                if self.rules.clean_up {
                    let cleaned = phase.clean_up(cx, host, &step.change, facts).await;
                    self.cleaned_up(cx, host, cleaned);
                }
                return Err(Left::Failed(failure));
            }
        }
        Ok(())
    }

    /// Takes one host through a meeting; returns its facts.
    async fn attend(
        &self,
        cx: &Context<D>,
        index: usize,
        meeting: &dyn AnyMeeting<D>,
        host: HostId,
        facts: D::Facts,
    ) -> (D::Facts, Result<(), Left>) {
        let place = &self.places[index];
        let mut changes = place.changed.subscribe();
        let mut own = self.arrive(cx, place, meeting, host, facts);
        let mut result = Ok(());
        loop {
            changes.mark_unchanged();
            match self.turn(cx, place, host, &mut own) {
                Turn::Leave if result.is_ok() && cx.stop.is_stopping() => {
                    result = Err(Left::Stopped);
                    break;
                }
                Turn::Leave => break,
                Turn::Chair(hosts) => result = self.hold(cx, index, meeting, hosts).await,
                Turn::Wait => {
                    let gathering = lock(&place.meeting).stage == Stage::Gathering;
                    tokio::select! {
                        _ = changes.changed() => {}
                        () = cx.stop.stopping(), if gathering => {}
                    }
                }
            }
        }
        // Facts are handed in once and handed back once.
        (own.unwrap_or_default(), result)
    }

    /// Hands the facts in where the host is invited; gives them back where it is not.
    fn arrive(
        &self,
        cx: &Context<D>,
        place: &Place<D>,
        meeting: &dyn AnyMeeting<D>,
        host: HostId,
        facts: D::Facts,
    ) -> Option<D::Facts> {
        let state = lock(&self.state);
        let mut room = lock(&place.meeting);
        // All earlier meetings are over by now, so that everybody would work out the same.
        let invited = room.invited.get_or_insert_with(|| {
            meeting
                .invites(&cx.shared, &state.cluster)
                .into_iter()
                .collect()
        });
        if invited.contains(&host) {
            room.arrived.insert(host, facts);
            None
        } else {
            Some(facts)
        }
    }

    /// Decides what a host does next at a meeting; takes its facts back when it leaves.
    fn turn(
        &self,
        cx: &Context<D>,
        place: &Place<D>,
        host: HostId,
        own: &mut Option<D::Facts>,
    ) -> Turn<D> {
        let state = lock(&self.state);
        let mut room = lock(&place.meeting);
        let stopping = cx.stop.is_stopping();
        let complete = room
            .invited
            .iter()
            .flatten()
            .all(|one| room.arrived.contains_key(one) || state.absent.contains(one));
        match room.stage {
            Stage::InSession => Turn::Wait,
            Stage::Gathering if complete && !stopping => {
                room.stage = Stage::InSession;
                Turn::Chair(std::mem::take(&mut room.arrived))
            }
            Stage::Gathering if !stopping => Turn::Wait,
            Stage::Gathering | Stage::Over => {
                if own.is_none() {
                    *own = room.arrived.remove(&host);
                }
                Turn::Leave
            }
        }
    }

    /// Carries a meeting out and opens the door again.
    async fn hold(
        &self,
        cx: &Context<D>,
        index: usize,
        meeting: &dyn AnyMeeting<D>,
        hosts: BTreeMap<HostId, D::Facts>,
    ) -> Result<(), Left> {
        let cluster = D::Cluster::clone(&lock(&self.state).cluster);
        let mut assembly = Assembly {
            shared: Arc::clone(&cx.shared),
            cluster,
            hosts,
        };
        let result = self.carry_out(cx, index, meeting, &mut assembly).await;
        lock(&self.state).cluster = Arc::new(assembly.cluster);
        if matches!(result, Err(Left::Failed(_))) {
            cx.stop.gracefully(StopReason::Failed);
        }
        let place = &self.places[index];
        {
            let mut room = lock(&place.meeting);
            room.arrived = assembly.hosts;
            room.stage = Stage::Over;
        }
        place.changed.send_modify(|count| *count += 1);
        result
    }

    async fn carry_out(
        &self,
        cx: &Context<D>,
        index: usize,
        meeting: &dyn AnyMeeting<D>,
        assembly: &mut Assembly<D>,
    ) -> Result<(), Left> {
        let steps = match meeting.plan(assembly) {
            Plan::Skip(reason) => {
                self.skipped(index, reason);
                return Ok(());
            }
            Plan::Steps(steps) => steps,
        };
        for step in &steps {
            self.hold_to_shown(meeting.id(), step)?;
        }
        for step in steps {
            if cx.stop.is_stopping() {
                return Err(Left::Stopped);
            }
            let before = assembly.hosts.get(&step.host).cloned().unwrap_or_default();
            let mut promised = assembly.clone();
            meeting.predict(&step, &mut promised);
            let promised = promised.hosts.remove(&step.host).unwrap_or_default();
            let started = self.step_started(cx, index, &step, &before, &promised);
            let mut result = meeting.run(cx, &step, assembly).await;
            if result.is_ok() {
                let seen = assembly.hosts.get(&step.host).cloned().unwrap_or_default();
                result = kept_promises::<D>(&before, &promised, &seen);
            }
            self.step_finished(cx, &step, started, result.is_ok());
            if let Err(failure) = result {
                if self.rules.clean_up {
                    let cleaned = meeting.clean_up(cx, &step, assembly).await;
                    self.cleaned_up(cx, step.host, cleaned);
                }
                return Err(Left::Failed(failure.on_host(cx.roster.name(step.host))));
            }
        }
        Ok(())
    }

    /// Refuses a step that is more disruptive than the plan that was shown.
    fn hold_to_shown(&self, phase: &str, step: &AnyStep) -> Result<(), Left> {
        let host = self.cx.roster.name(step.host);
        let shown = self.rules.shown.worst(phase, host).unwrap_or_default();
        // A change that nothing disturbs may come up late; a disturbance has to be announced.
        if step.disruption <= shown.max(Disruption::Live) {
            return Ok(());
        }
        let failure = Failure::new(format!(
            "`{}` would {} the host, and the plan that was shown did not say so ({})",
            step.change.what, step.disruption, step.why
        ))
        .on_host(host)
        .hint("run `launchpad plan` again: the host has changed since");
        Err(Left::Failed(failure))
    }

    fn step_started(
        &self,
        cx: &Context<D>,
        index: usize,
        step: &AnyStep,
        before: &D::Facts,
        promised: &D::Facts,
    ) -> Instant {
        {
            let mut tally = lock(&self.places[index].tally);
            if tally.started.is_none() {
                tally.started = Some(Instant::now());
                cx.emit(Event::PhaseStarted {
                    phase: cx.phase.to_owned(),
                });
            }
        }
        let step = describe::<D>(cx.phase, &cx.roster, step, before, promised);
        cx.emit(Event::StepStarted { step });
        Instant::now()
    }

    fn step_finished(&self, cx: &Context<D>, step: &AnyStep, started: Instant, ok: bool) {
        if ok {
            lock(&self.state).steps_done += 1;
        }
        cx.emit(Event::StepFinished {
            phase: cx.phase.to_owned(),
            host: cx.roster.name(step.host).to_owned(),
            ok,
            duration_ms: millis(started.elapsed()),
        });
    }

    fn cleaned_up(&self, cx: &Context<D>, host: HostId, cleaned: Result<bool, Failure>) {
        let ok = match cleaned {
            Ok(false) => return,
            Ok(true) => true,
            Err(failure) => {
                cx.warn(Some(host), format!("cannot clean up: {failure}"), None);
                false
            }
        };
        cx.emit(Event::CleanedUp {
            phase: cx.phase.to_owned(),
            host: cx.roster.name(host).to_owned(),
            ok,
        });
    }

    fn skipped(&self, index: usize, reason: String) {
        lock(&self.places[index].tally)
            .skipped
            .get_or_insert(reason);
    }

    /// Counts one host through a phase, or out of it.
    fn count(&self, index: usize, ok: bool) {
        let phase = self.list[index].id();
        let mut tally = lock(&self.places[index].tally);
        tally.to_come = tally.to_come.saturating_sub(1);
        tally.failed |= !ok;
        if tally.to_come > 0 {
            return;
        }
        if let Some(started) = tally.started {
            self.cx.emit(Event::PhaseFinished {
                phase: phase.to_owned(),
                ok: !tally.failed,
                duration_ms: millis(started.elapsed()),
            });
        } else if let Some(reason) = tally.skipped.clone().filter(|_| !tally.failed) {
            self.cx.emit(Event::PhaseSkipped {
                phase: phase.to_owned(),
                reason,
            });
        }
    }

    /// Takes a host off the list: aside where the budget allows it, else the run stops.
    fn leave(&self, index: usize, host: HostId, left: Left) {
        if let Left::Failed(failure) = left {
            let name = self.cx.roster.name(host);
            let failure = failure.on_host(name).in_phase(self.list[index].id());
            let mut state = lock(&self.state);
            let aside = state.budget > 0
                && failure.host.as_deref() == Some(name)
                && D::may_be_set_aside(&self.cx.shared, host);
            if aside {
                state.budget -= 1;
                self.cx.emit(Event::SetAside {
                    host: name.to_owned(),
                    failure: failure.clone(),
                });
                state.set_aside.push((host, failure));
            } else {
                self.cx.stop.gracefully(StopReason::Failed);
                self.cx.emit(Event::Failed {
                    failure: failure.clone(),
                });
                state.failures.push(failure);
            }
        }
        lock(&self.state).absent.insert(host);
        self.count(index, false);
        for later in index + 1..self.list.len() {
            self.count(later, false);
        }
        // Meetings that waited for this host look again: they begin without it, or end.
        for place in &self.places {
            place.changed.send_modify(|count| *count += 1);
        }
    }
}

/// Compares what a step promised with what was read after it.
fn kept_promises<D: Domain>(
    before: &D::Facts,
    promised: &D::Facts,
    seen: &D::Facts,
) -> Result<(), Failure> {
    let value = |facts: &D::Facts| serde_json::to_value(facts).unwrap_or_default();
    let broken = broken_promises(&value(before), &value(promised), &value(seen));
    if broken.is_empty() {
        return Ok(());
    }
    let mut failure =
        Failure::new("the step ended without an error, but the host is not as planned");
    for (fact, promised, seen) in broken {
        failure
            .causes
            .push(format!("`{fact}`: promised {promised}, seen {seen}"));
    }
    Err(failure)
}
