//! A run of launchpad that is measured.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::peak::end_and_peak;

/// The program that is measured.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_launchpad");

/// What a run took.
pub(crate) struct Run {
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_megabytes: f64,
}

/// Runs launchpad to its end in a home directory.
pub(crate) fn launchpad(home: &Path, arguments: &[&str]) -> Run {
    let before = children_cpu();
    let started = Instant::now();
    let mut child = Command::new(BINARY)
        .args(arguments)
        .current_dir(home)
        .env("HOME", home)
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (ended, peak_megabytes) = end_and_peak(&mut child);
    assert!(ended.success(), "{arguments:?}: {ended}");
    Run {
        seconds: started.elapsed().as_secs_f64(),
        cpu_seconds: children_cpu() - before,
        peak_megabytes,
    }
}

/// Returns the processor time of all programs that were waited for, in seconds.
fn children_cpu() -> f64 {
    cpu("self", CHILDREN)
}

/// Where the time of programs that were waited for stands behind the name of a process; that of
/// itself stands two fields before (proc_pid_stat(5)).
pub(crate) const CHILDREN: usize = 13;

/// Returns what a process has used in user and in kernel mode, from the first of the two fields, in
/// seconds.
pub(crate) fn cpu(process: &str, first: usize) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, after) = stat.rsplit_once(") ").unwrap();
    let ticks: f64 = after
        .split(' ')
        .skip(first)
        .take(2)
        .map(|field| field.parse::<f64>().unwrap())
        .sum();
    // Ticks of 10 ms.
    ticks / 100.0
}
