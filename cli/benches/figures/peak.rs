//! How much memory another program takes.

use std::process::{Child, ExitStatus};
use std::time::Duration;

use crate::figures::memory;

/// Waits for a program to end; returns also its resident memory at its most, in MB.
pub(crate) fn end_and_peak(child: &mut Child) -> (ExitStatus, f64) {
    let process = child.id().to_string();
    let mut peak = 0.0_f64;
    loop {
        if let Some(ended) = child.try_wait().unwrap() {
            return (ended, peak);
        }
        peak = peak.max(memory(&process, "VmHWM:").unwrap_or_default());
        std::thread::sleep(Duration::from_millis(1));
    }
}
