//! Measures simulated hosts behind real SSH sockets, and launchpad against them: `./dev bench`.
//! `--write` puts the figures into `docs/benchmarks.md`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark is a program of its own"
)]

mod figures;
#[path = "figures/peak.rs"]
mod peak;
#[path = "figures/run.rs"]
mod run;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

use figures::{Figure, conclude, median, memory};
use run::{BINARY, CHILDREN, Run, cpu};

/// How many hosts are installed.
const HOSTS: usize = 500;
/// How many have nothing but an open door.
const MANY: usize = 1000;
/// How often each is measured.
const ROUNDS: usize = 3;
/// The links of the installed hosts.
const SCENARIO: &str = "network: {latency: 20ms}\n";

/// `launchpad fleet up`, with its doors open.
struct Fleet {
    process: Child,
    /// How long it took to open them, in seconds.
    opening: f64,
}

impl Fleet {
    /// Starts a fleet in a home directory, with its files in `fleet`.
    fn up(home: &Path, hosts: usize, arguments: &[&str]) -> Self {
        fs::write(home.join("hosts.yaml"), config(hosts)).unwrap();
        let started = Instant::now();
        let mut process = Command::new(BINARY)
            .args(["fleet", "up", "-c", "hosts.yaml", "--directory", "fleet"])
            .args(arguments)
            .current_dir(home)
            .env("HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        // It says so once all doors are open, and says nothing more.
        let is_open = said
            .lines()
            .any(|line| line.unwrap().starts_with("Stop with"));
        assert!(is_open, "the fleet has not opened its doors");
        Self {
            process,
            opening: started.elapsed().as_secs_f64(),
        }
    }

    fn cpu(&self) -> f64 {
        cpu(&self.process.id().to_string(), CHILDREN - 2)
    }

    fn peak(&self) -> f64 {
        memory(&self.process.id().to_string(), "VmHWM:").unwrap()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn config(count: usize) -> String {
    let hosts: String = (0..count)
        .map(|number| {
            let role = if number < 3 { "manager" } else { "worker" };
            let address = format!("10.77.{}.{}", 10 + number / 200, 1 + number % 200);
            format!("  - {{role: {role}, ssh: {{address: {address}, user: ops}}}}\n")
        })
        .collect();
    format!(
        "apiVersion: launchpad.mirantis.com/mke/v1.6\nkind: mke\nmetadata: {{name: bench}}\nspec:\n  \
         hosts:\n{hosts}  mcr: {{channel: stable-25.0}}\n  mke: {{version: 3.8.8, adminPassword: \
         orcaorcaorca}}\n"
    )
}

/// Opens the doors of many hosts.
fn opening(home: &Path, figures: &mut Vec<Figure>) {
    let (mut seconds, mut megabytes) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let fleet = Fleet::up(home, MANY, &[]);
        seconds.push(fleet.opening);
        megabytes.push(fleet.peak());
    }
    figures.push(Figure {
        name: "open",
        value: median(seconds),
        unit: "s",
        budget: 5.0,
        about: "the sockets of 1000 hosts in one process, start to open",
    });
    figures.push(Figure {
        name: "open-memory",
        value: median(megabytes),
        unit: "MB",
        budget: 500.0,
        about: "its resident memory at its most",
    });
}

/// Applies what is applied already, over links of 20 ms each way.
fn again(home: &Path, figures: &mut Vec<Figure>) {
    fs::write(home.join("links.yaml"), SCENARIO).unwrap();
    let fleet = Fleet::up(
        home,
        HOSTS,
        &["--from", "installed", "--scenario", "links.yaml"],
    );
    let mut fleet_cpu = Vec::new();
    let runs: Vec<Run> = (0..ROUNDS)
        .map(|_| {
            let before = fleet.cpu();
            let run = run::launchpad(home, &["apply", "-c", "fleet/launchpad.yaml"]);
            fleet_cpu.push(fleet.cpu() - before);
            run
        })
        .collect();
    let of = |value: fn(&Run) -> f64| median(runs.iter().map(value).collect());
    println!(
        "apply with nothing to do on {HOSTS} hosts: the fleet used {:.2} s of processor time, and \
         {:.0} MB at its most",
        median(fleet_cpu),
        fleet.peak()
    );
    figures.push(Figure {
        name: "again",
        value: of(|run| run.seconds),
        unit: "s",
        budget: 15.0,
        about: "apply with nothing to do on 500 hosts, links of 20 ms each way",
    });
    figures.push(Figure {
        name: "again-cpu",
        value: of(|run| run.cpu_seconds),
        unit: "s",
        budget: 2.0,
        about: "its own processor time, without that of the hosts",
    });
    figures.push(Figure {
        name: "again-memory",
        value: of(|run| run.peak_megabytes),
        unit: "MB",
        budget: 100.0,
        about: "its own resident memory at its most",
    });
}

fn main() -> ExitCode {
    let home = tempfile::tempdir().unwrap();
    let mut figures = Vec::new();
    opening(home.path(), &mut figures);
    again(home.path(), &mut figures);
    conclude("Simulated hosts behind sockets", &figures)
}
