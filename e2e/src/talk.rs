//! The driver's own output: one time-stamped line per step.

use std::time::{Duration, Instant};

/// Prints what the driver is doing, with the time since it started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk {
    started: Instant,
}

impl Talk {
    /// Starts the clock.
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
        }
    }

    /// Prints one line.
    pub(crate) fn say(self, line: impl AsRef<str>) {
        println!(
            "[{:7.1} s] {}",
            self.started.elapsed().as_secs_f64(),
            line.as_ref()
        );
    }

    /// Prints lines that belong to the one before, without a time of their own.
    pub(crate) fn detail(self, text: impl AsRef<str>) {
        for line in text.as_ref().lines() {
            println!("            {line}");
        }
    }
}

/// Writes a duration the way the driver reports times.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
