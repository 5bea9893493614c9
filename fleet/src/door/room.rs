//! How many connections there may be, and what is told of those that are turned away.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::House;

/// What is told of a connection for which there is no room.
pub(super) const FULL: &str = "the fleet has as many connections as it may have";

/// A connection's place among those that the fleet may have.
pub(super) struct Room(Arc<House>);

impl Room {
    /// Takes a place, where there is one.
    pub(super) fn take(house: &Arc<House>) -> Option<Self> {
        is_counted(&house.connections, house.most).then(|| Self(Arc::clone(house)))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts one more, where there may be one.
pub(super) fn is_counted(count: &AtomicUsize, most: usize) -> bool {
    let more = |now: usize| (now < most).then_some(now + 1);
    let order = Ordering::Relaxed;
    count.fetch_update(order, order, more).is_ok()
}

/// How many were turned away, and why.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<BTreeMap<&'static str, u64>>);

impl Refusals {
    /// Takes note of something that may happen very often; returns what to tell of it: of the first
    /// time, the second, the fourth, and so on.
    pub(super) fn note(
        &self,
        kind: &'static str,
        detail: impl std::fmt::Display,
    ) -> Option<String> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(kind).or_insert(0_u64);
        *count += 1;
        let is_told = count.is_power_of_two();
        is_told.then(|| format!("{kind}{detail} ({count} times so far)"))
    }
}
