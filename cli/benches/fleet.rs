//! Measures a thousand simulated hosts: `./dev bench`. Real time and memory are those of both sides,
//! launchpad and the fleet. `--write` puts the figures into `docs/benchmarks.md`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark is a program of its own"
)]

mod figures;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cli::rehearsal::{self, Setting};
use cli::world::Stream;
use figures::{Figure, conclude, median, memory};
use fleet::Fleet;
use fleet::build::HostSpec;
use phase::{Envelope, Event, Sink};

/// How many hosts a large cluster has.
const HOSTS: u32 = 1000;
/// How often what is short is measured: the median counts.
const SAMPLES: usize = 5;
const EPOCH: Duration = Duration::from_secs(1_795_000_000);

fn main() -> ExitCode {
    let mut figures = Vec::new();
    let before = resident();
    let fleet = hosts();
    figures.push(Figure {
        name: "host",
        value: (resident() - before) * 1000.0 / f64::from(HOSTS),
        unit: "KB",
        budget: 300.0,
        about: "memory of a host that does nothing",
    });
    figures.push(Figure {
        name: "script",
        value: script(),
        unit: "ms",
        budget: 1.0,
        about: "a shell script of 100 lines on a host",
    });
    let runtime = rehearsal::runtime().unwrap();
    // The hosts came to be before the clock of this runtime: they are made anew in it.
    drop(fleet);
    let (fresh, again) = runtime.block_on(async {
        let fleet = hosts();
        let fresh = apply(&fleet).await;
        let mut again = Vec::new();
        for _ in 0..SAMPLES {
            again.push(apply(&fleet).await);
        }
        (fresh, again)
    });
    let again_took = median(again.iter().map(|one| one.real.as_secs_f64()).collect());
    let again_peak = again.iter().map(|one| one.peak).fold(0.0, f64::max);
    let figure = |name, value, unit, budget, about| Figure {
        name,
        value,
        unit,
        budget,
        about,
    };
    figures.push(figure(
        "fresh",
        fresh.real.as_secs_f64(),
        "s",
        60.0,
        "apply on 1000 bare hosts",
    ));
    figures.push(figure(
        "path",
        fresh.length.as_secs_f64() / fresh.critical.as_secs_f64().max(0.001),
        "×",
        1.1,
        "its simulated time, against its longest chain of true dependencies",
    ));
    figures.push(figure(
        "again",
        again_took,
        "s",
        5.0,
        "apply with nothing to do: the median of five",
    ));
    figures.push(figure(
        "memory",
        again_peak,
        "MB",
        400.0,
        "its resident memory at its most, both sides",
    ));
    println!(
        "fresh apply: {:.0} s of simulated time, longest chain {:.0} s, resident memory {:.0} MB",
        fresh.length.as_secs_f64(),
        fresh.critical.as_secs_f64(),
        fresh.peak
    );
    conclude("A thousand simulated hosts", &figures)
}

fn address(number: u32) -> std::net::Ipv4Addr {
    std::net::Ipv4Addr::from(0x0a4d_0a00 + number + 1)
}

fn hosts() -> Fleet {
    let fleet = Fleet::new(1, EPOCH);
    for number in 0..HOSTS {
        let name = if number < 3 {
            format!("m{number}")
        } else {
            format!("w{number}")
        };
        fleet
            .add_host(&HostSpec::new(&name, address(number).into()))
            .unwrap();
    }
    fleet.add_archive();
    fleet.add_engine_repository("https://repos.mirantis.com", "stable-25.0");
    fleet.add_registry("docker.io");
    fleet
}

fn config() -> String {
    let mut hosts = String::new();
    for number in 0..HOSTS {
        let role = if number < 3 { "manager" } else { "worker" };
        let address = address(number);
        writeln!(
            hosts,
            "  - role: {role}\n    ssh: {{address: {address}, user: ubuntu}}"
        )
        .unwrap();
    }
    format!(
        "apiVersion: launchpad.mirantis.com/mke/v1.6\nkind: mke\nspec:\n  hosts:\n{hosts}  mcr: \
         {{channel: stable-25.0}}\n  mke:\n    version: 3.8.8\n    adminUsername: admin\n    \
         adminPassword: orcaorcaorca\n    installFlags: [--san=mke.example.com]\n"
    )
}

/// What a run took.
struct Took {
    real: Duration,
    length: Duration,
    critical: Duration,
    /// Resident memory at its most, in MB.
    peak: f64,
}

async fn apply(fleet: &Fleet) -> Took {
    let steps = Steps::default();
    let setting = Setting {
        environment: BTreeMap::new(),
        home: None,
        current_dir: "/".into(),
        config: Some(config()),
        stdout: Stream::in_memory(std::io::sink()),
        stderr: Stream::in_memory(std::io::sink()),
        seed: 1,
        signals: None,
    };
    let mut world = rehearsal::world(fleet, setting);
    world.listeners.push(Arc::new(steps.clone()));
    forget_peak();
    let (started, began) = (Instant::now(), fleet.elapsed());
    let words = ["launchpad", "apply", "-c", "-"].map(std::ffi::OsString::from);
    let status = Box::pin(cli::run(world, words)).await;
    assert_eq!(status, 0, "the apply has failed");
    Took {
        real: started.elapsed(),
        length: fleet.elapsed() - began,
        critical: steps.critical(),
        peak: peak(),
    }
}

/// A step: phase, host, start, length.
type Timed = (String, String, Duration, Duration);

/// Steps in the order in which they began.
#[derive(Clone, Default)]
struct Steps(Arc<Mutex<Vec<Timed>>>);

impl Sink for Steps {
    fn receive(&self, envelope: &Envelope) {
        let at = Duration::from_millis(envelope.at_ms);
        let mut steps = self.0.lock().unwrap();
        match &envelope.event {
            Event::StepStarted { step } => {
                steps.push((step.phase.clone(), step.host.clone(), at, Duration::ZERO));
            }
            Event::StepFinished { phase, host, .. } => {
                let found = steps.iter_mut().rev();
                let mut found = found.filter(|one| one.0 == *phase && one.1 == *host);
                if let Some(step) = found.next() {
                    step.3 = at - step.2;
                }
            }
            _ => {}
        }
    }
}

/// Phases that need what was done on managers before them.
const NEEDS_MANAGERS: [&str; 9] = [
    "list-mke-images",
    "init-swarm",
    "install-mke-certificates",
    "install-mke",
    "join-managers",
    "join-workers",
    "validate-mke-health",
    "label-nodes",
    "restart-mcr",
];

impl Steps {
    /// Returns the longest chain of steps each of which needs the one before it: those of one
    /// host, and for what concerns the cluster those of the managers.
    fn critical(&self) -> Duration {
        let steps = self.0.lock().unwrap();
        let mut hosts: BTreeMap<&str, Duration> = BTreeMap::new();
        let mut managers = Duration::ZERO;
        for (phase, host, _, length) in steps.iter() {
            let is_manager = (0..3).any(|number| address(number).to_string() == *host);
            let needs = NEEDS_MANAGERS.contains(&phase.as_str());
            let own = hosts.get(host.as_str()).copied().unwrap_or_default();
            let start = if needs { own.max(managers) } else { own };
            let end = start + *length;
            hosts.insert(host, end);
            if is_manager {
                managers = managers.max(end);
            }
        }
        hosts.values().copied().max().unwrap_or_default()
    }
}

/// Returns the median time of a script of 100 lines, without that of the connection.
fn script() -> f64 {
    let mut script = String::from("count=0\n");
    for number in 0..49 {
        writeln!(
            script,
            "if [ -e /etc/passwd ]; then count=$((count + {number})); fi"
        )
        .unwrap();
        writeln!(
            script,
            "case $count in *7) name=${{count%7}} ;; *) name=x$count ;; esac"
        )
        .unwrap();
    }
    script.push_str("echo $count\n");
    let runtime = rehearsal::runtime().unwrap();
    let samples: Vec<f64> = (0..101)
        .map(|_| {
            runtime.block_on(async {
                let fleet = Fleet::new(1, EPOCH);
                let id = fleet
                    .add_host(&HostSpec::new("h", address(0).into()))
                    .unwrap();
                let started = Instant::now();
                let status = fleet.run_script(id, &script).await;
                assert_eq!(status, 0);
                started.elapsed().as_secs_f64() * 1e3
            })
        })
        .collect();
    median(samples)
}

/// Returns the resident memory in MB.
fn resident() -> f64 {
    memory("self", "VmRSS:").unwrap()
}

/// Lets the resident memory at its most begin anew (proc_pid_clear_refs(5)).
fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

/// Returns the resident memory at its most in MB.
fn peak() -> f64 {
    memory("self", "VmHWM:").unwrap()
}
