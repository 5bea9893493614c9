//! Counting what goes over a channel.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::Kind;
use super::session::mark_of;
use crate::world::{Fleet, HostId};

/// Counts what goes over a channel.
pub(crate) struct Meter {
    fleet: Fleet,
    host: HostId,
    number: u64,
    has_input: AtomicBool,
    has_output: AtomicBool,
    received: AtomicU64,
}

impl Meter {
    /// Makes the meter of a command.
    pub(crate) fn new(fleet: &Fleet, host: HostId, number: u64) -> Self {
        Self {
            fleet: fleet.clone(),
            host,
            number,
            has_input: AtomicBool::new(false),
            has_output: AtomicBool::new(false),
            received: AtomicU64::new(0),
        }
    }

    /// Takes note of what was sent to the host.
    pub(crate) fn sent(&self, bytes: &[u8]) {
        if !self.has_input.swap(true, Ordering::Relaxed)
            && let Some(mark) = mark_of(bytes)
        {
            self.fleet.command_is(self.host, self.number, kind_of(mark));
        }
        let bytes = bytes.len();
        let waits = self.has_output.swap(false, Ordering::Relaxed);
        self.fleet.count(self.host, |traffic| {
            traffic.sent += bytes as u64;
            traffic.round_trips += u64::from(waits);
        });
    }

    /// Takes note of what the host has sent; returns whether a fault wants the connection to break
    /// now.
    pub(crate) fn received(&self, bytes: usize) -> bool {
        if bytes > 0 {
            self.has_output.store(true, Ordering::Relaxed);
        }
        let all = self.received.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        self.fleet
            .count(self.host, |traffic| traffic.received += bytes as u64);
        self.fleet.cuts_after(self.host, self.number, all)
    }
}

/// Returns what a mark declares of its command.
fn kind_of(mark: &str) -> Kind {
    match mark
        .strip_prefix("launchpad-")
        .and_then(|rest| rest.chars().next())
    {
        Some('r') => Kind::Read,
        Some('c') => Kind::Change,
        Some('u') => Kind::User,
        _ => Kind::Unknown,
    }
}
