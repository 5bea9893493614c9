//! What services have said.

use std::collections::VecDeque;

/// How many lines are kept.
const KEPT: usize = 400;

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
}

/// The journal of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journal {
    entries: VecDeque<Entry>,
}

impl Journal {
    /// Adds a line; the oldest goes where there are too many.
    pub fn add(&mut self, entry: Entry) {
        if self.entries.len() >= KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// Returns the lines, the oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }
}
