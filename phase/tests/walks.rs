//! Runs of toy phases on a paused clock: pace, meetings, stops, set-asides, the lock.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use phase::lock::{Acquired, LockRecord, LockStore};
use phase::phases::{Complaint, Severity};
use phase::plan::Disruption;
use phase::{
    Assembly, Check, Context, Domain, Emitter, Ending, Envelope, Event, Failure, HostId, HostPhase,
    HostView, Limits, Manager, Meeting, Mode, Observe, Options, Phase, Plan, Roster, RunReport,
    Sink, Stage, Step, Stop, StopReason, Work,
};
use serde::Serialize;
use tokio::time::Instant;

struct Toy;

#[derive(Clone, Default, Serialize)]
struct Facts {
    installed: bool,
    joined: bool,
    needs_restart: bool,
}

#[derive(Clone, Default, Serialize)]
struct Cluster {
    formed: bool,
}

/// What the toy hosts do; seconds are virtual.
#[derive(Default)]
struct Shared {
    managers: usize,
    /// How many hosts the meeting invites beyond the managers.
    invites_others: usize,
    install_seconds: BTreeMap<usize, u64>,
    meeting_seconds: u64,
    install_fails: Vec<usize>,
    lies: Vec<usize>,
    unreachable: Vec<usize>,
    already_installed: bool,
    install_needs_restart: bool,
    meeting_panics: bool,
    at_work: AtomicUsize,
    most_at_work: AtomicUsize,
    installs_begun: AtomicUsize,
    cleaned: Mutex<Vec<usize>>,
}

impl Domain for Toy {
    type Shared = Shared;
    type Facts = Facts;
    type Cluster = Cluster;

    fn summarise(_: &Shared, facts: &BTreeMap<HostId, Facts>, cluster: &mut Cluster) {
        cluster.formed = facts.values().any(|facts| facts.joined);
    }

    fn may_be_set_aside(shared: &Shared, host: HostId) -> bool {
        host.0 >= shared.managers
    }
}

struct Gather;

#[async_trait]
impl Observe<Toy> for Gather {
    fn id(&self) -> &'static str {
        "gather-facts"
    }
    fn title(&self) -> &'static str {
        "Gather Facts"
    }
    async fn observe(
        &self,
        cx: &Context<Toy>,
        host: HostId,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        if cx.shared.unreachable.contains(&host.0) {
            return Err(Failure::new("cannot connect").unreachable());
        }
        facts.installed = cx.shared.already_installed;
        facts.joined = cx.shared.already_installed;
        Ok(())
    }
}

struct Install;

#[derive(Serialize)]
struct InstallChange;

impl std::fmt::Display for InstallChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("install the engine")
    }
}

#[async_trait]
impl HostPhase<Toy> for Install {
    type Change = InstallChange;
    fn id(&self) -> &'static str {
        "install"
    }
    fn title(&self) -> &'static str {
        "Install"
    }
    fn work(&self) -> Work {
        Work::DisruptiveWorker
    }
    fn plan(&self, view: &HostView<'_, Toy>) -> Plan<InstallChange> {
        if view.facts.installed {
            return Plan::skip("the engine is installed");
        }
        Plan::step(
            view.host,
            InstallChange,
            "the engine is missing",
            Disruption::Live,
        )
    }
    fn predict(&self, _: &HostView<'_, Toy>, _: &InstallChange, facts: &mut Facts) {
        facts.installed = true;
    }
    async fn run(
        &self,
        cx: &Context<Toy>,
        _: &Cluster,
        host: HostId,
        _: &InstallChange,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        cx.shared.installs_begun.fetch_add(1, Ordering::SeqCst);
        let now = cx.shared.at_work.fetch_add(1, Ordering::SeqCst) + 1;
        cx.shared.most_at_work.fetch_max(now, Ordering::SeqCst);
        let seconds = cx
            .shared
            .install_seconds
            .get(&host.0)
            .copied()
            .unwrap_or(10);
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        cx.shared.at_work.fetch_sub(1, Ordering::SeqCst);
        if cx.shared.install_fails.contains(&host.0) {
            return Err(Failure::new("cannot install the engine"));
        }
        facts.installed = !cx.shared.lies.contains(&host.0);
        facts.needs_restart = cx.shared.install_needs_restart;
        Ok(())
    }
    async fn clean_up(
        &self,
        cx: &Context<Toy>,
        host: HostId,
        _: &InstallChange,
        _: &mut Facts,
    ) -> Result<bool, Failure> {
        cx.shared.cleaned.lock().unwrap().push(host.0);
        Ok(true)
    }
}

struct Form;

#[derive(Serialize)]
struct FormChange;

impl std::fmt::Display for FormChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("form the cluster")
    }
}

#[async_trait]
impl Meeting<Toy> for Form {
    type Change = FormChange;
    fn id(&self) -> &'static str {
        "form"
    }
    fn title(&self) -> &'static str {
        "Form"
    }
    fn invites(&self, shared: &Shared, _: &Cluster) -> Vec<HostId> {
        (0..shared.managers + shared.invites_others)
            .map(HostId)
            .collect()
    }
    fn plan(&self, assembly: &Assembly<Toy>) -> Plan<FormChange> {
        if assembly.cluster.formed {
            return Plan::skip("the cluster is formed");
        }
        let needs_restart = assembly.hosts[&HostId(0)].needs_restart;
        let disruption = if needs_restart {
            Disruption::Restart
        } else {
            Disruption::Live
        };
        Plan::step(HostId(0), FormChange, "there is no cluster", disruption)
    }
    fn predict(&self, _: &Step<&FormChange>, assembly: &mut Assembly<Toy>) {
        assembly.cluster.formed = true;
        if let Some(facts) = assembly.hosts.get_mut(&HostId(0)) {
            facts.joined = true;
        }
    }
    async fn run(
        &self,
        cx: &Context<Toy>,
        _: &Step<&FormChange>,
        assembly: &mut Assembly<Toy>,
    ) -> Result<(), Failure> {
        tokio::time::sleep(Duration::from_secs(cx.shared.meeting_seconds)).await;
        assert!(!cx.shared.meeting_panics, "the meeting panics");
        assembly.cluster.formed = true;
        assembly.hosts.get_mut(&HostId(0)).unwrap().joined = true;
        Ok(())
    }
}

struct Join;

#[derive(Serialize)]
struct JoinChange;

impl std::fmt::Display for JoinChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("join the cluster")
    }
}

#[async_trait]
impl HostPhase<Toy> for Join {
    type Change = JoinChange;
    fn id(&self) -> &'static str {
        "join"
    }
    fn title(&self) -> &'static str {
        "Join"
    }
    fn plan(&self, view: &HostView<'_, Toy>) -> Plan<JoinChange> {
        if view.facts.joined {
            return Plan::skip("the host is in the cluster");
        }
        Plan::step(
            view.host,
            JoinChange,
            "the host is not in the cluster",
            Disruption::Live,
        )
    }
    fn predict(&self, _: &HostView<'_, Toy>, _: &JoinChange, facts: &mut Facts) {
        facts.joined = true;
    }
    async fn run(
        &self,
        _: &Context<Toy>,
        cluster: &Cluster,
        _: HostId,
        _: &JoinChange,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        assert!(cluster.formed, "a host joined before there was a cluster");
        tokio::time::sleep(Duration::from_secs(1)).await;
        facts.joined = true;
        Ok(())
    }
}

struct Complains(Severity);

impl Check<Toy> for Complains {
    fn id(&self) -> &'static str {
        "validate-hosts"
    }
    fn title(&self) -> &'static str {
        "Validate Hosts"
    }
    fn check(&self, _: &Shared, _: &Cluster, facts: &BTreeMap<HostId, Facts>) -> Vec<Complaint> {
        facts
            .keys()
            .map(|&host| Complaint {
                severity: self.0,
                ..Complaint::error(host, "bad", "mend it")
            })
            .collect()
    }
}

#[derive(Default)]
struct Recorder(Mutex<Vec<Envelope>>);

impl Sink for Recorder {
    fn receive(&self, envelope: &Envelope) {
        self.0.lock().unwrap().push(envelope.clone());
    }
}

struct World {
    hosts: usize,
    shared: Shared,
    options: Options,
    checks: Vec<Box<dyn Check<Toy>>>,
    stop: Stop,
}

struct Ran {
    report: RunReport<Toy>,
    events: Vec<Envelope>,
    shared: Arc<Shared>,
    seconds: u64,
}

fn world(hosts: usize, managers: usize) -> World {
    World {
        hosts,
        shared: Shared {
            managers,
            ..Shared::default()
        },
        options: Options {
            run_id: "r".into(),
            version: "0".into(),
            command: "apply".into(),
            cluster: "toy".into(),
            started_at: "2026-01-01T00:00:00Z".into(),
            owner: "me@here".into(),
            mode: Mode::Run,
            limits: Limits::new(1000, None),
            allow_unreachable: 0,
            clean_up: true,
            timeout: None,
            break_lock: false,
        },
        checks: vec![],
        stop: Stop::new(),
    }
}

async fn run(world: World) -> Ran {
    run_with(world, None).await
}

async fn run_with(world: World, store: Option<&dyn LockStore>) -> Ran {
    let manager = Manager {
        observe: vec![Box::new(Gather)],
        checks: world.checks,
        list: vec![
            Phase::host(Install),
            Phase::meeting(Form),
            Phase::host(Join),
        ],
        closing: vec![],
    };
    let recorder = Arc::new(Recorder::default());
    let shared = Arc::new(world.shared);
    let started = Instant::now();
    let stage = Stage {
        shared: Arc::clone(&shared),
        roster: Roster::new((0..world.hosts).map(|index| format!("h{index}"))),
        emitter: Emitter::new(vec![Arc::clone(&recorder) as Arc<dyn Sink>]),
        store,
        stop: world.stop,
    };
    let report = manager.run(stage, &world.options).await;
    let events = recorder.0.lock().unwrap().clone();
    let seconds = started.elapsed().as_secs();
    let first = events.first().map(|envelope| &envelope.event);
    let last = events.last().map(|envelope| &envelope.event);
    assert!(matches!(first, Some(Event::RunStarted { .. })), "{first:?}");
    assert!(matches!(last, Some(Event::RunFinished { .. })), "{last:?}");
    for (index, envelope) in events.iter().enumerate() {
        assert_eq!(envelope.index, index as u64);
    }
    Ran {
        report,
        events,
        shared,
        seconds,
    }
}

fn count(ran: &Ran, is_it: impl Fn(&Event) -> bool) -> usize {
    ran.events
        .iter()
        .filter(|envelope| is_it(&envelope.event))
        .count()
}

#[tokio::test(start_paused = true)]
async fn every_host_ends_as_planned_and_steps_match_the_plan() {
    let ran = run(world(5, 3)).await;

    assert_eq!(ran.report.ending, Ending::Done);
    assert!(
        ran.report
            .facts
            .values()
            .all(|facts| facts.installed && facts.joined)
    );
    assert_eq!(ran.report.plan.steps.len(), 5 + 1 + 4);
    assert_eq!(
        count(&ran, |event| matches!(event, Event::StepStarted { .. })),
        10
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_worker_does_not_hold_up_the_meeting() {
    let mut world = world(1000, 3);
    world.shared.meeting_seconds = 420;
    world.shared.install_seconds.insert(999, 500);

    let ran = run(world).await;

    assert_eq!(ran.report.ending, Ending::Done);
    // 500 s for the straggler and 1 s to join: not 500 + 420.
    assert!((500..=505).contains(&ran.seconds), "{} s", ran.seconds);
}

#[tokio::test(start_paused = true)]
async fn a_second_run_changes_nothing() {
    let mut world = world(5, 3);
    world.shared.already_installed = true;

    let ran = run(world).await;

    assert_eq!(ran.report.ending, Ending::Done);
    assert!(!ran.report.plan.has_changes());
    assert_eq!(
        count(&ran, |event| matches!(event, Event::StepStarted { .. })),
        0
    );
}

#[tokio::test(start_paused = true)]
async fn a_failing_manager_ends_the_run_without_a_hang() {
    for failing in 0..3 {
        let mut world = world(50, 3);
        world.shared.install_fails = vec![failing];

        let ran = run(world).await;

        assert_eq!(ran.report.ending, Ending::Failed);
        assert_eq!(ran.report.failures.len(), 1);
        assert_eq!(
            ran.report.failures[0].host.as_deref(),
            Some(format!("h{failing}").as_str())
        );
        assert_eq!(ran.report.failures[0].phase.as_deref(), Some("install"));
        assert_eq!(*ran.shared.cleaned.lock().unwrap(), [failing]);
        assert!(ran.report.facts.values().all(|facts| !facts.joined));
    }
}

#[tokio::test(start_paused = true)]
async fn every_failing_host_is_reported_and_none_starts_after_the_first() {
    let mut world = world(20, 3);
    world.options.limits = Limits::new(5, None);
    world.shared.install_fails = vec![0, 1, 2, 3, 4];

    let ran = run(world).await;

    assert_eq!(ran.report.failures.len(), 5);
    assert_eq!(ran.shared.installs_begun.load(Ordering::SeqCst), 5);
}

#[tokio::test(start_paused = true)]
async fn a_worker_within_the_budget_is_set_aside() {
    let mut world = world(6, 3);
    world.shared.install_fails = vec![5];
    world.options.allow_unreachable = 1;

    let ran = run(world).await;

    assert_eq!(ran.report.ending, Ending::Partial);
    assert_eq!(ran.report.set_aside.len(), 1);
    assert!((0..5).all(|host| ran.report.facts[&HostId(host)].joined));
}

#[tokio::test(start_paused = true)]
async fn a_manager_is_never_set_aside() {
    let mut world = world(6, 3);
    world.shared.unreachable = vec![1];
    world.options.allow_unreachable = 6;

    let ran = run(world).await;

    assert_eq!(ran.report.ending, Ending::Failed);
    assert_eq!(ran.shared.installs_begun.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn unreachable_workers_count_against_the_budget() {
    let mut world = world(6, 3);
    world.shared.unreachable = vec![3, 4];
    world.options.allow_unreachable = 1;

    let ran = run(world).await;

    assert_eq!(ran.report.ending, Ending::Failed);
    assert_eq!(ran.report.set_aside.len(), 1);
    assert_eq!(ran.report.failures.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_meeting_of_all_does_not_wait_for_a_host_that_was_never_reached() {
    let mut world = world(5, 3);
    world.shared.unreachable = vec![4];
    world.shared.invites_others = 2;
    world.options.allow_unreachable = 1;

    let ran = run(world).await;

    assert_eq!(ran.report.ending, Ending::Partial);
    assert!(ran.report.cluster.formed);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_does_not_keep_its_promise_has_failed() {
    let mut world = world(4, 3);
    world.shared.lies = vec![3];

    let ran = run(world).await;

    assert_eq!(ran.report.ending, Ending::Failed);
    assert_eq!(
        ran.report.failures[0].causes,
        ["`installed`: promised true, seen false"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_more_disruptive_than_shown_is_refused() {
    let mut world = world(4, 3);
    world.shared.install_needs_restart = true;

    let ran = run(world).await;

    assert_eq!(ran.report.ending, Ending::Failed);
    assert!(ran.report.failures[0].message.contains("did not say so"));
    assert!(!ran.report.cluster.formed);
}

#[tokio::test(start_paused = true)]
async fn the_first_signal_lets_running_steps_end() {
    let world = world(4, 3);
    let stop = world.stop.clone();
    let signal = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        stop.signal(2);
    };

    let (ran, ()) = tokio::join!(run(world), signal);

    assert_eq!(ran.report.ending, Ending::Interrupted);
    assert_eq!(ran.report.stopped, Some(StopReason::Signal(2)));
    assert_eq!(ran.seconds, 10);
    assert!(
        ran.report
            .facts
            .values()
            .all(|facts| facts.installed && !facts.joined)
    );
}

#[tokio::test(start_paused = true)]
async fn the_second_signal_leaves_at_once() {
    let world = world(4, 3);
    let stop = world.stop.clone();
    let signal = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        stop.signal(2);
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.signal(2);
    };

    let (ran, ()) = tokio::join!(run(world), signal);

    assert_eq!(ran.report.ending, Ending::Interrupted);
    assert_eq!(ran.seconds, 6);
}

#[tokio::test(start_paused = true)]
async fn a_stop_at_any_second_ends_the_run() {
    for second in 0..25 {
        let mut world = world(7, 3);
        world.shared.meeting_seconds = 5;
        world.shared.install_seconds.insert(6, 20);
        let stop = world.stop.clone();
        let signal = async {
            tokio::time::sleep(Duration::from_millis(second * 1000 + 500)).await;
            stop.signal(15);
        };

        let (ran, ()) = tokio::join!(run(world), signal);

        assert_eq!(
            ran.report.ending == Ending::Interrupted,
            second < 21,
            "second {second}"
        );
        assert!(ran.seconds < 30, "second {second}: {} s", ran.seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn a_passed_timeout_stops_the_run() {
    let mut world = world(4, 3);
    world.options.timeout = Some(Duration::from_secs(12));
    world.shared.meeting_seconds = 60;

    let ran = run(world).await;

    assert_eq!(ran.report.stopped, Some(StopReason::Timeout));
    assert_eq!(ran.report.ending, Ending::Interrupted);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_told_in_the_last_event() {
    let mut world = world(4, 3);
    world.shared.meeting_panics = true;

    let ran = run(world).await;

    assert_eq!(ran.report.ending, Ending::Panicked);
}

#[tokio::test(start_paused = true)]
async fn complaints_of_all_hosts_are_reported_before_any_change() {
    let mut world = world(4, 3);
    world.checks = vec![Box::new(Complains(Severity::Error))];

    let ran = run(world).await;

    assert_eq!(ran.report.failures.len(), 4);
    assert_eq!(ran.report.failures[0].hint.as_deref(), Some("mend it"));
    assert_eq!(ran.shared.installs_begun.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn warnings_do_not_stop_the_run() {
    let mut world = world(4, 3);
    world.checks = vec![Box::new(Complains(Severity::Warning))];

    let ran = run(world).await;

    assert_eq!(ran.report.ending, Ending::Done);
    assert_eq!(
        count(&ran, |event| matches!(event, Event::Warning { .. })),
        4
    );
}

#[tokio::test(start_paused = true)]
async fn parallel_hosts_bounds_those_at_work() {
    let mut world = world(12, 3);
    world.options.limits = Limits::new(1000, Some(4));

    let ran = run(world).await;

    assert_eq!(ran.report.ending, Ending::Done);
    assert_eq!(ran.shared.most_at_work.load(Ordering::SeqCst), 4);
}

#[tokio::test(start_paused = true)]
async fn a_plan_changes_nothing() {
    let mut world = world(4, 3);
    world.options.mode = Mode::Plan;

    let ran = run(world).await;

    assert_eq!(ran.report.ending, Ending::Planned);
    assert!(ran.report.plan.has_changes());
    assert_eq!(ran.shared.installs_begun.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_phase_starts_with_its_first_host_and_finishes_with_its_last() {
    let mut world = world(4, 3);
    world.shared.install_seconds.insert(3, 60);

    let ran = run(world).await;

    let finished = ran
        .events
        .iter()
        .find(|envelope| {
            matches!(&envelope.event, Event::PhaseFinished { phase, .. } if phase == "install")
        })
        .unwrap();
    assert_eq!(finished.at_ms, 60_000);
}

/// A lock in memory that can be held by somebody else, be taken away, or have been used since.
#[derive(Default)]
struct Store {
    held_by_other: bool,
    /// The holder was killed 5 s before the first look at its lock.
    holder_is_dead: bool,
    looked_at: Mutex<Option<Instant>>,
    disturbed: bool,
    lost_after: Option<usize>,
    renewed: AtomicUsize,
    held: Mutex<bool>,
}

#[async_trait]
impl LockStore for Store {
    async fn acquire(&self, record: &LockRecord, break_lock: bool) -> Result<Acquired, Failure> {
        let first = *self.looked_at.lock().unwrap().get_or_insert(Instant::now());
        let age = Duration::from_secs(5) + first.elapsed();
        let age = match self.holder_is_dead {
            true => age,
            // It gives a sign of life every 10 s.
            false => age.saturating_sub(Duration::from_secs(age.as_secs() / 10 * 10)),
        };
        if self.held_by_other && !break_lock && age <= phase::lock::STALE_AFTER {
            let by = LockRecord {
                owner: "other@there".into(),
                ..record.clone()
            };
            return Ok(Acquired::Held { by, age });
        }
        *self.held.lock().unwrap() = true;
        Ok(Acquired::Ours {
            undisturbed: !self.disturbed,
        })
    }
    async fn renew(&self, _: &LockRecord) -> Result<bool, Failure> {
        let times = self.renewed.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(self.lost_after.is_none_or(|limit| times <= limit))
    }
    async fn release(&self, _: &LockRecord) -> Result<(), Failure> {
        *self.held.lock().unwrap() = false;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_held_lock_refuses_and_names_the_holder() {
    let store = Store {
        held_by_other: true,
        ..Store::default()
    };

    let ran = run_with(world(4, 3), Some(&store)).await;

    assert_eq!(ran.report.ending, Ending::Failed);
    assert!(ran.report.failures[0].message.contains("other@there"));
    assert_eq!(ran.shared.installs_begun.load(Ordering::SeqCst), 0);
    assert!(ran.seconds <= 10, "{} s", ran.seconds);
}

#[tokio::test(start_paused = true)]
async fn the_lock_of_a_run_that_was_killed_is_waited_for() {
    let store = Store {
        held_by_other: true,
        holder_is_dead: true,
        disturbed: true,
        ..Store::default()
    };
    let mut world = world(4, 3);
    world.shared.already_installed = false;

    let ran = run_with(world, Some(&store)).await;

    assert_eq!(ran.report.ending, Ending::Done);
    assert!((55..90).contains(&ran.seconds), "{} s", ran.seconds);
    let told = |event: &Event| matches!(event, Event::Warning { message, .. } if message.contains("other@there"));
    assert_eq!(count(&ran, told), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_lock_can_be_interrupted() {
    let store = Store {
        held_by_other: true,
        holder_is_dead: true,
        ..Store::default()
    };
    let world = world(4, 3);
    let stop = world.stop.clone();
    let signal = async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        stop.signal(2);
    };

    let (ran, ()) = tokio::join!(run_with(world, Some(&store)), signal);

    assert_eq!(ran.report.ending, Ending::Interrupted);
    assert_eq!(ran.seconds, 20);
}

#[tokio::test(start_paused = true)]
async fn a_lost_lock_stops_new_steps_and_is_an_error() {
    let store = Store {
        lost_after: Some(1),
        ..Store::default()
    };
    let mut world = world(4, 3);
    world.shared.meeting_seconds = 60;

    let ran = run_with(world, Some(&store)).await;

    assert_eq!(ran.report.stopped, Some(StopReason::LockLost));
    assert_eq!(ran.report.ending, Ending::Failed);
    assert!(ran.report.facts.values().skip(1).all(|facts| !facts.joined));
}

#[tokio::test(start_paused = true)]
async fn a_disturbed_cluster_is_looked_at_again() {
    let store = Store {
        disturbed: true,
        ..Store::default()
    };

    let ran = run_with(world(4, 3), Some(&store)).await;

    assert_eq!(ran.report.ending, Ending::Done);
    assert_eq!(
        count(&ran, |event| matches!(event, Event::Planned { .. })),
        2
    );
}

#[tokio::test(start_paused = true)]
async fn the_lock_is_given_back_whatever_the_end() {
    for case in 0..4 {
        let store = Store::default();
        let mut world = world(4, 3);
        let stop = world.stop.clone();
        match case {
            1 => world.shared.install_fails = vec![1],
            2 => world.shared.meeting_panics = true,
            _ => {}
        }
        let signal = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            if case == 3 {
                stop.signal(2);
                stop.signal(2);
            }
        };

        let (_, ()) = tokio::join!(run_with(world, Some(&store)), signal);

        assert!(!*store.held.lock().unwrap(), "case {case}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_to_do_needs_no_lock() {
    let store = Store {
        held_by_other: true,
        ..Store::default()
    };
    let mut world = world(4, 3);
    world.shared.already_installed = true;

    let ran = run_with(world, Some(&store)).await;

    assert_eq!(ran.report.ending, Ending::Done);
}
