//! How much memory another program takes.

use std::process::{Child, ExitStatus};
use std::time::Duration;

/// Waits for a program to end; returns also its resident memory at its most, in MB.
pub(crate) fn end_and_peak(child: &mut Child) -> (ExitStatus, f64) {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0_f64;
    loop {
        if let Some(ended) = child.try_wait().unwrap() {
            return (ended, peak);
        }
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
        peak = peak.max(kib.unwrap_or_default() * 1024.0 / 1e6);
        std::thread::sleep(Duration::from_millis(1));
    }
}
