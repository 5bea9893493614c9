//! Measures what users wait for and compares it with budgets: `./dev bench`.
//!
//! All measurements of one run are interleaved and their medians reported, so that a busy machine
//! is busy for all of them. A ratio above 1 is over the budget; then the status is 1. Names on the
//! command line choose measurements.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark is a program of its own"
)]

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use config::{Config, LARGEST_DOCUMENT, Source};
use phase::fold::fold;
use phase::{Domain as _, Emitter, HostId, Roster};
use product::mke::MkeDomain;
use product::mke::cluster::Cluster;
use product::mke::connect::Connecting;
use product::mke::facts::Facts;
use product::mke::facts::parse::{Question, parse};
use product::mke::shared::{Clock, Shared, Wishes};

mod figures;
#[path = "figures/peak.rs"]
mod peak;

use figures::{Figure, conclude, median, memory};
use peak::end_and_peak;

const BINARY: &str = env!("CARGO_BIN_EXE_launchpad");
const BARE: &str = include_str!("../../product/tests/recorded/bare.txt");
const MANAGER: &str = include_str!("../../product/tests/recorded/manager.txt");
/// How many hosts a large cluster has.
const HOSTS: usize = 1000;

/// Something that is measured.
struct Measurement {
    name: &'static str,
    about: &'static str,
    unit: &'static str,
    budget: f64,
    rounds: usize,
    once: Box<dyn FnMut() -> f64>,
}

fn timed(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64() * 1e3
}

fn measurements() -> Vec<Measurement> {
    let document = document();
    let (old, again, hostile) = (old_document(), old_document(), hostile());
    let (large, hurting) = (document.clone(), hostile.clone());
    let shared = shared(load(&document));
    let facts = bare_facts();
    let lines: Vec<String> = (0..100_000)
        .map(|number| format!("line {number} of what a vendor's installer has to say"))
        .collect();
    let redactor = rig::redact::Redactor::new();
    for secret in ["orcaorcaorca", "an0ther-secret", "SWMTKN-1-abcdef"] {
        redactor.add(&secrecy::SecretString::from(secret));
    }
    vec![
        Measurement {
            name: "version",
            about: "`launchpad version`, start to end",
            unit: "ms",
            budget: 10.0,
            rounds: 40,
            once: Box::new(|| timed(|| run(&["version"]))),
        },
        Measurement {
            name: "binary",
            about: "size of the stripped binary, simulated hosts included",
            unit: "MB",
            budget: 25.0,
            rounds: 1,
            once: Box::new(|| std::fs::metadata(BINARY).unwrap().len() as f64 / 1e6),
        },
        Measurement {
            name: "load",
            about: "a configuration of 1000 hosts: read, substitute, decode, validate",
            unit: "ms",
            budget: 30.0,
            rounds: 10,
            once: Box::new(move || timed(|| drop(load(&document)))),
        },
        Measurement {
            name: "old",
            about: "the same 1000 hosts in the form of 2020, nine migrations included",
            unit: "ms",
            budget: 60.0,
            rounds: 10,
            once: Box::new(move || timed(|| drop(load(&old)))),
        },
        Measurement {
            name: "migrate",
            about: "their text in the newest form",
            unit: "ms",
            budget: 200.0,
            rounds: 10,
            once: Box::new(move || timed(|| drop(migrated(&again)))),
        },
        Measurement {
            name: "hostile",
            about: "the worst of: aliases of aliases, 100 000 levels, 1 MiB of one value, of empty lists, \
                    29 000 keys, half of them twice",
            unit: "ms",
            budget: 100.0,
            rounds: 5,
            once: Box::new(move || {
                let each = hostile.iter().map(|text| timed(|| drop(refused(text))));
                each.fold(0.0, f64::max)
            }),
        },
        Measurement {
            name: "load-memory",
            about: "`launchpad validate` of the 1000 hosts: its resident memory at its most",
            unit: "MB",
            budget: 30.0,
            rounds: 3,
            once: Box::new(move || validate(|file| fill(file, &large))),
        },
        Measurement {
            name: "hostile-memory",
            about: "the same of the documents that hurt, and of 100 MB: the worst",
            unit: "MB",
            budget: 50.0,
            rounds: 3,
            once: Box::new(move || {
                let huge = validate(|file| file.set_len(100_000_000).unwrap());
                let each = hurting.iter().map(|text| validate(|file| fill(file, text)));
                each.fold(huge, f64::max)
            }),
        },
        Measurement {
            name: "facts",
            about: "the answers of 1000 managers of a running cluster",
            unit: "ms",
            budget: 1000.0,
            rounds: 5,
            once: Box::new(|| {
                timed(|| {
                    for _ in 0..HOSTS {
                        read(MANAGER, "10.77.1.1");
                    }
                })
            }),
        },
        Measurement {
            name: "plan",
            about: "the whole plan of an install on 1000 bare hosts",
            unit: "ms",
            budget: 2000.0,
            rounds: 5,
            once: Box::new(move || timed(|| plan(&shared, &facts))),
        },
        Measurement {
            name: "redact",
            about: "100 000 lines, with three secrets in five spellings",
            unit: "ms",
            budget: 500.0,
            rounds: 5,
            once: Box::new(move || {
                timed(|| {
                    for line in &lines {
                        std::hint::black_box(redactor.apply(line));
                    }
                })
            }),
        },
        Measurement {
            name: "memory",
            about: "resident memory at its most, with all of the above",
            unit: "MB",
            budget: 400.0,
            rounds: 1,
            once: Box::new(|| memory("self", "VmHWM:").unwrap()),
        },
    ]
}

fn run(arguments: &[&str]) {
    let status = Command::new(BINARY)
        .args(arguments)
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
}

/// Returns the resident memory at its most of a program that validates a document, in MB.
fn validate(fill: impl FnOnce(&mut std::fs::File)) -> f64 {
    let mut document = tempfile::NamedTempFile::new().unwrap();
    fill(document.as_file_mut());
    let mut child = Command::new(BINARY)
        .args(["validate", "-c"])
        .arg(document.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (_, peak) = end_and_peak(&mut child);
    peak
}

fn fill(file: &mut std::fs::File, document: &str) {
    std::io::Write::write_all(file, document.as_bytes()).unwrap();
}

/// An environment with nothing in it.
struct Empty;

impl config::World for Empty {
    fn var(&self, _: &str) -> Option<String> {
        None
    }
    fn home(&self) -> Option<PathBuf> {
        None
    }
    fn current_dir(&self) -> PathBuf {
        PathBuf::from("/")
    }
    fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

fn address(index: usize) -> String {
    format!("10.77.{}.{}", 10 + index / 200, 1 + index % 200)
}

/// A configuration of three managers and many workers.
fn document() -> String {
    let hosts: String = (0..HOSTS)
        .map(|index| {
            let role = if index < 3 { "manager" } else { "worker" };
            let address = address(index);
            format!("  - role: {role}\n    ssh: {{address: {address}, user: ops}}\n")
        })
        .collect();
    format!(
        "apiVersion: launchpad.mirantis.com/mke/v1.6\nkind: mke\nspec:\n  hosts:\n{hosts}\
         \x20 mcr: {{channel: stable-20.10}}\n  mke:\n    version: 3.8.8\n    \
         adminPassword: orcaorcaorca\n"
    )
}

/// The same in the form of 2020.
fn old_document() -> String {
    let hosts: String = (0..HOSTS)
        .map(|index| {
            let role = if index < 3 { "manager" } else { "worker" };
            let address = address(index);
            format!("  - address: {address} # one of many\n    user: ops\n    role: {role}\n")
        })
        .collect();
    format!(
        "apiVersion: launchpad.mirantis.com/v1beta1\nkind: UCP\nspec:\n  hosts:\n{hosts}\
         \x20 engine: {{version: '20.10.13'}}\n  ucp:\n    version: 3.8.8\n"
    )
}

/// As many unknown keys as are read to the end: each is two of the values that a document may have.
const MOST_KEYS: usize = 29_000;

/// Documents that were made to hurt.
fn hostile() -> Vec<String> {
    let mut aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let before = level - 1;
        let list = vec![format!("*a{before}"); 9].join(", ");
        aliases += &format!("a{level}: &a{level} [{list}]\n");
    }
    let deep = format!("a: {}", "[".repeat(100_000));
    let room = LARGEST_DOCUMENT - 10;
    let long = format!("a: {}", "x".repeat(room));
    let keys = |count: usize| -> String { (0..count).map(|key| format!("k{key}: 1\n")).collect() };
    let twice = format!(
        "apiVersion: launchpad.mirantis.com/mke/v1.5\n{0}{0}",
        keys(MOST_KEYS / 2)
    );
    let empty = "[],".repeat(room / 3);
    vec![
        aliases,
        deep,
        long,
        keys(MOST_KEYS),
        twice,
        format!("[{empty}]"),
    ]
}

fn source(document: &str) -> Source {
    Source {
        name: "launchpad.yaml".to_owned(),
        text: document.as_bytes().to_vec(),
    }
}

fn migrated(document: &str) -> String {
    match config::migrated(source(document), &Empty) {
        Ok(migrated) => migrated.text,
        Err(problems) => panic!("{problems}"),
    }
}

fn refused(document: &str) -> String {
    match config::load(source(document), &Empty) {
        Ok(_) => panic!("loaded: {document}"),
        Err(problems) => problems.to_string(),
    }
}

fn load(document: &str) -> Config {
    match config::load(source(document), &Empty) {
        Ok(loaded) => loaded.config,
        Err(problems) => panic!("{problems}"),
    }
}

fn shared(config: Config) -> Arc<Shared> {
    let clock = Clock(Arc::new(|| 0.0));
    Arc::new(Shared::new(
        config,
        "run".to_owned(),
        Wishes::default(),
        clock,
    ))
}

fn read(text: &str, address: &str) -> Facts {
    let question = Question {
        mark: "launchpad-recorded",
        private_interface: None,
        address,
        now: 0.0,
        doubt: 0.0,
    };
    parse(text, &question).unwrap()
}

fn bare_facts() -> BTreeMap<HostId, Facts> {
    (0..HOSTS)
        .map(|index| (HostId(index), read(BARE, &address(index))))
        .collect()
}

struct Nowhere;

#[async_trait]
impl rig::Connector for Nowhere {
    async fn connect(
        &self,
        _: &rig::Endpoint,
    ) -> Result<Arc<dyn rig::Connection>, rig::ConnectError> {
        panic!("a plan connects to nobody")
    }
}

fn plan(shared: &Arc<Shared>, facts: &BTreeMap<HostId, Facts>) {
    let manager = product::mke::apply::apply(Connecting {
        connector: Arc::new(Nowhere),
        emitter: Emitter::new(Vec::new()),
        redactor: rig::redact::Redactor::new(),
        limits: rig::limits::SharedLimits::default(),
        backoff: rig::retry::Backoff::default(),
        dry_run: true,
        confirm: None,
    });
    let mut cluster = Cluster::default();
    MkeDomain::summarise(shared, facts, &mut cluster);
    let roster = Roster::new(shared.names().iter().cloned());
    let report = fold(&manager.list, shared, &roster, facts, &cluster);
    assert!(report.steps.len() > 4 * HOSTS);
}

fn main() -> ExitCode {
    // Cargo adds flags of its own.
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let mut measurements: Vec<Measurement> = measurements()
        .into_iter()
        .filter(|one| chosen.is_empty() || chosen.iter().any(|name| name == one.name))
        .collect();
    let mut samples: Vec<Vec<f64>> = measurements.iter().map(|_| Vec::new()).collect();
    let rounds = measurements.iter().map(|one| one.rounds).max().unwrap_or(0);
    for round in 0..rounds {
        for (one, samples) in measurements.iter_mut().zip(&mut samples) {
            if round < one.rounds {
                samples.push((one.once)());
            }
        }
    }
    let figures: Vec<Figure> = measurements
        .iter()
        .zip(samples)
        .map(|(one, samples)| Figure {
            name: one.name,
            value: median(samples),
            unit: one.unit,
            budget: one.budget,
            about: one.about,
        })
        .collect();
    conclude("Without hosts", &figures)
}
