//! What services have said.

use std::collections::VecDeque;

/// How many lines are kept.
const KEPT: usize = 600;

/// How many lines of one unit are kept.
const KEPT_OF_ONE: usize = 200;

/// A line of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When, in microseconds since 1970.
    pub at: u64,
    /// The unit that it belongs to.
    pub unit: String,
    /// Who says it.
    pub identifier: String,
    /// The process; 0 without one.
    pub pid: u32,
    /// What is said.
    pub message: String,
    /// Whether it is an error, or worse.
    pub is_error: bool,
}

/// The journal of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journal {
    entries: VecDeque<Entry>,
}

impl Journal {
    /// Adds a line; the oldest goes where there are too many.
    pub fn add(&mut self, entry: Entry) {
        let is_own = |one: &Entry| one.unit == entry.unit;
        if self.entries.len() >= KEPT {
            self.entries.pop_front();
        } else if self.entries.iter().filter(|one| is_own(one)).count() >= KEPT_OF_ONE
            && let Some(oldest) = self.entries.iter().position(is_own)
        {
            self.entries.remove(oldest);
        }
        self.entries.push_back(entry);
    }

    /// Returns the lines, the oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }
}
