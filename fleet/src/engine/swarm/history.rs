//! What has happened in a swarm, for assertions.

use std::time::Duration;

use super::Swarm;
use crate::world::HostId;

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// When.
    pub(crate) at: Duration,
    /// What.
    pub(crate) what: Happening,
}

/// Something that can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    /// A host has joined; whether as a manager.
    Joined(HostId, bool),
    /// A host has left by itself.
    Left(HostId),
    /// The node of a host was removed.
    Removed(HostId),
    /// A node has become a manager.
    Promoted(HostId),
    /// A node has become a worker.
    Demoted(HostId),
    /// A manager is not there any more.
    ManagerDown(HostId),
    /// A manager is there again.
    ManagerUp(HostId),
    /// Another manager leads.
    LeaderChanged(HostId),
    /// Too few managers are there.
    QuorumLost,
    /// Enough managers are there again.
    QuorumRegained,
}

impl Swarm {
    /// Takes note of something.
    pub(super) fn note(&mut self, at: Duration, what: Happening) {
        self.history.push(Record { at, what });
    }

    /// Returns whether there was a moment without a quorum.
    #[cfg(test)]
    pub(crate) fn ever_lost_quorum(&self) -> bool {
        let mut history = self.history.iter();
        history.any(|record| record.what == Happening::QuorumLost)
    }

    /// Returns how often there were too few managers.
    pub(crate) fn times_quorum_lost(&self) -> usize {
        let history = self.history.iter();
        history
            .filter(|record| record.what == Happening::QuorumLost)
            .count()
    }

    /// Returns how many managers were gone at the same time, at most.
    pub(crate) fn most_managers_down(&self) -> usize {
        let (mut down, mut most) = (0_usize, 0);
        for record in &self.history {
            match record.what {
                Happening::ManagerDown(_) => down += 1,
                Happening::ManagerUp(_) => down = down.saturating_sub(1),
                _ => {}
            }
            most = most.max(down);
        }
        most
    }
}
