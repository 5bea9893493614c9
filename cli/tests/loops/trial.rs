//! One trial: an undisturbed run, the same run disturbed, and the run that mends it.

use std::time::Duration;

use cli::rehearsal::Watch;
use fleet::connection::Kind;
use fleet::scenario::{EventSpec, What};
use fleet::snapshot::{Snapshot, differences};

use crate::cluster::{Cluster, Ran, SECRET, settle};
use crate::event::{self, Event, Plan, Undisturbed, Work};

/// How often the same command may have to be given until it is through.
const TRIES: usize = 3;

/// How long an election may take: when the leader goes, no manager answers before there is another.
const ELECTION: Duration = Duration::from_secs(15);

/// Runs the trial of a seed.
pub(crate) fn run(seed: u64) -> Result<(), String> {
    let runtime = cli::rehearsal::runtime().unwrap();
    let (rng, order, work) = event::draw(seed);
    let (cluster, undisturbed, expected) = runtime
        .block_on(undisturbed(seed, &order, work))
        .map_err(|why| format!("seed {seed}: undisturbed {work:?}: {why}"))?;
    drop(runtime);
    let plan = event::plan(seed, rng, order, work, &cluster.fleet, &undisturbed);
    let runtime = cli::rehearsal::runtime().unwrap();
    runtime
        .block_on(disturbed(&plan, &expected))
        .map_err(|why| format!("{plan}\n{why}\nagain: ./dev simulate --seed {seed}"))
}

/// Returns a cluster on which the work can begin.
async fn prepared(seed: u64, order: &[usize], work: Work) -> Result<Cluster, String> {
    let mut cluster = event::cluster(seed, order);
    if work != Work::Install {
        let ran = cluster.run(&["apply"], None).await?;
        must_succeed(&ran)?;
        // MKE goes on to its last container when the command has ended.
        settle().await;
    }
    cluster.is_changed = work == Work::Change;
    cluster.fleet.forget_counts();
    Ok(cluster)
}

async fn undisturbed(
    seed: u64,
    order: &[usize],
    work: Work,
) -> Result<(Cluster, Undisturbed, Snapshot), String> {
    let cluster = prepared(seed, order, work).await?;
    dry_run(&cluster, work).await?;
    let started = cluster.fleet.elapsed();
    let ran = cluster.run(work.words(), None).await?;
    must_succeed(&ran)?;
    let run = Undisturbed {
        counts: cluster.counts(),
        length: cluster.fleet.elapsed() - started,
    };
    settle().await;
    check_always(&cluster, &Event::Nothing, &ran)?;
    let snapshots = cluster.fleet.snapshots();
    Ok((cluster, run, snapshots))
}

/// A dry run changes nothing, and says whether there is something to do.
async fn dry_run(cluster: &Cluster, work: Work) -> Result<(), String> {
    let before = cluster.fleet.snapshots();
    let words: &[&str] = match work {
        Work::Reset => &["reset", "--dry-run"],
        Work::Install | Work::Again | Work::Change => &["plan"],
    };
    let ran = cluster.run(words, None).await?;
    let expected = if work == Work::Again { 0 } else { 3 };
    if ran.status != expected {
        let status = ran.status;
        return Err(format!(
            "a dry run ended with status {status}:\n{}",
            ran.printed
        ));
    }
    let changed = differences(&before, &cluster.fleet.snapshots());
    let sent = cluster.fleet.sent();
    let changes = sent.iter().filter(|one| one.kind == Kind::Change).count();
    cluster.fleet.forget_counts();
    if changed.is_empty() && changes == 0 {
        return Ok(());
    }
    Err(format!(
        "a dry run sent {changes} changes and changed:\n{}",
        changed.join("\n")
    ))
}

async fn disturbed(plan: &Plan, expected: &Snapshot) -> Result<(), String> {
    let cluster = prepared(plan.seed, &plan.order, plan.work).await?;
    let signals = plan.prepare(&cluster);
    let watch = Watch::start(&cluster.fleet, 443);
    let first = cluster.run(plan.work.words(), signals).await?;
    check_always(&cluster, &plan.event, &first)?;
    if plan.event == Event::Nothing {
        must_succeed(&first)?;
    }
    check_api(&cluster, plan, &watch, &first)?;
    // What was set off goes on for a while; then nothing goes wrong any more.
    tokio::time::sleep(Duration::from_secs(300)).await;
    cluster.fleet.forget_faults();
    cluster.fleet.end_troubles();
    cluster
        .fleet
        .set_bootstrapper_faults(std::collections::BTreeMap::new());
    let mut last = first;
    for _ in 0..TRIES {
        last = cluster.run(plan.work.words(), None).await?;
        check_always(&cluster, &plan.event, &last)?;
        if last.status == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_secs(120)).await;
    }
    must_succeed(&last)?;
    settle().await;
    let did_nothing = last.printed.contains("Plan: nothing to do");
    let found: Vec<String> = differences(expected, &cluster.fleet.snapshots())
        .into_iter()
        .filter(|line| !is_left_by_another_leader(line))
        // A lock that could not be given back is taken over by the next run that needs one.
        .filter(|line| !(did_nothing && line.contains("file /run/launchpad/lock")))
        .collect();
    if !found.is_empty() {
        return Err(format!(
            "the hosts are not as after an undisturbed run (-, +):\n{}\n{}",
            found.join("\n"),
            last.printed
        ));
    }
    nothing_to_do(&cluster, plan).await
}

/// Which managers held the run lock, and on which the bootstrapper was asked, tells which of them led
/// when; that nobody holds the lock now is what counts.
fn is_left_by_another_leader(line: &str) -> bool {
    let lock = ["file /run/launchpad:", "file /run/launchpad/last-run:"];
    let is_lock = lock.iter().any(|one| line.contains(one));
    is_lock || (line.starts_with('+') && line.contains(" image docker.io/mirantis/ucp:"))
}

/// The next run changes nothing.
async fn nothing_to_do(cluster: &Cluster, plan: &Plan) -> Result<(), String> {
    cluster.fleet.forget_counts();
    let ran = cluster.run(plan.work.words(), None).await?;
    must_succeed(&ran)?;
    let sent = cluster.fleet.sent();
    let changes = sent.iter().filter(|one| one.kind == Kind::Change).count();
    if changes > 0 {
        return Err(format!(
            "a run with nothing to do sent {changes} changes:\n{}",
            ran.printed
        ));
    }
    Ok(())
}

fn must_succeed(ran: &Ran) -> Result<(), String> {
    if ran.status == 0 {
        return Ok(());
    }
    Err(format!(
        "it ended with status {}:\n{}",
        ran.status, ran.printed
    ))
}

/// What is never so, whatever happens.
fn check_always(cluster: &Cluster, event: &Event, ran: &Ran) -> Result<(), String> {
    let fleet = &cluster.fleet;
    let unknown = fleet.not_simulated();
    if !unknown.is_empty() {
        return Err(format!("not simulated: {unknown:?}"));
    }
    let breaches = fleet.breaches();
    if !breaches.is_empty() {
        return Err(format!(
            "a command that only looks has changed something: {breaches:#?}"
        ));
    }
    for (what, text) in [
        ("what was printed", &ran.printed),
        ("the events", &ran.told),
    ] {
        if text.contains(SECRET) {
            return Err(format!("the password is in {what}"));
        }
    }
    if ran.printed.contains("panicked") {
        return Err(format!("it panicked:\n{}", ran.printed));
    }
    let quorum = fleet.quorum();
    // Two managers of which one is struck have none, whoever looks on.
    let takes_managers = [
        What::Reboot,
        What::KillEngine,
        What::HangEngine,
        What::Freeze,
        What::Part,
    ];
    let is_struck = matches!(event, Event::Strike(event) if takes_managers.contains(&event.what));
    if quorum.lost > 0 && !is_struck && !ran.told.contains("\"command\":\"reset\"") {
        return Err(format!(
            "the quorum was lost {} times:\n{}",
            quorum.lost, ran.printed
        ));
    }
    Ok(())
}

/// Nobody but a blow takes more than one manager away at a time, or the API as a whole.
fn check_api(cluster: &Cluster, plan: &Plan, watch: &Watch, ran: &Ran) -> Result<(), String> {
    let is_blow = matches!(&plan.event, Event::Strike(event) if !event.is_of_command());
    let is_ours = !is_blow && plan.work != Work::Reset;
    let most = cluster.fleet.quorum().most_managers_down;
    if is_ours && most > 1 {
        return Err(format!(
            "{most} managers were away at the same time:\n{}",
            ran.printed
        ));
    }
    let outages = watch.outages(cluster.fleet.elapsed());
    let whole = outages
        .iter()
        .find(|outage| outage.host.is_none() && outage.lasted > ELECTION);
    match whole.filter(|_| is_ours && plan.work != Work::Install) {
        Some(outage) => Err(format!(
            "no manager answered for {outage:?}:\n{}",
            ran.printed
        )),
        None => Ok(()),
    }
}

/// Failing at each command is what most seeds do; this one is always there.
#[test]
fn a_trial_without_an_event_converges() {
    let plan = Plan {
        seed: 0,
        order: vec![0, 1, 2, 3],
        has_bastion: false,
        work: Work::Install,
        event: Event::Strike(Box::new(EventSpec {
            what: What::LoseAnswer,
            host: Some("m1".to_owned()),
            command: Some(5),
            ..EventSpec::default()
        })),
        host: fleet::HostId(0),
        number: 5,
    };
    let runtime = cli::rehearsal::runtime().unwrap();
    let (_, _, expected) = runtime
        .block_on(undisturbed(0, &plan.order, plan.work))
        .unwrap();
    drop(runtime);
    let runtime = cli::rehearsal::runtime().unwrap();

    let result = runtime.block_on(disturbed(&plan, &expected));

    assert_eq!(result, Ok(()));
}
