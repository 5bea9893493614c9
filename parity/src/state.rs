//! What hosts are when rows are run on them.

/// The system of the hosts of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Ubuntu 22.04: apt.
    Ubuntu,
    /// Rocky Linux 9: dnf.
    Rocky,
    /// SLES 15 SP5: zypper.
    Sles,
    /// Ubuntu 22.04 with OpenRC in place of systemd.
    OpenRc,
    /// Ubuntu 26.04: coreutils of uutils, sudo-rs.
    Uutils,
}

/// A set of hosts, and how rows are run on it.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    /// The directory of its rows and recordings.
    pub name: &'static str,
    /// Their system.
    pub system: System,
    /// The hosts; those of states with the same ones follow each other on them.
    pub hosts: &'static [&'static str],
    /// The host of a row that names none.
    pub host: &'static str,
    /// Whether launchpad has made a cluster of the hosts.
    pub is_installed: bool,
    /// Whether a row sees what those before it have done.
    pub is_ordered: bool,
}

/// All states, in the order in which their rows are run.
pub const STATES: &[State] = &[
    State {
        name: "bare",
        system: System::Ubuntu,
        hosts: &["m1", "w1"],
        host: "w1",
        is_installed: false,
        is_ordered: false,
    },
    State {
        name: "changes",
        system: System::Ubuntu,
        hosts: &["m1", "w1"],
        host: "m1",
        is_installed: false,
        is_ordered: true,
    },
    State {
        name: "worker",
        system: System::Ubuntu,
        hosts: &["m1", "m2", "m3", "w1"],
        host: "w1",
        is_installed: true,
        is_ordered: true,
    },
    State {
        name: "manager",
        system: System::Ubuntu,
        hosts: &["m1", "m2", "m3", "w1"],
        host: "m1",
        is_installed: true,
        is_ordered: true,
    },
    State {
        name: "el9",
        system: System::Rocky,
        hosts: &["m1"],
        host: "m1",
        is_installed: false,
        is_ordered: true,
    },
    State {
        name: "sles15",
        system: System::Sles,
        hosts: &["m1"],
        host: "m1",
        is_installed: false,
        is_ordered: true,
    },
    State {
        name: "openrc",
        system: System::OpenRc,
        hosts: &["m1"],
        host: "m1",
        is_installed: false,
        is_ordered: true,
    },
    State {
        name: "uutils",
        system: System::Uutils,
        hosts: &["m1"],
        host: "m1",
        is_installed: false,
        is_ordered: true,
    },
];

impl State {
    /// Returns the state with a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        STATES.iter().find(|state| state.name == name)
    }

    /// Says whether its rows are run on the hosts of the state before it.
    #[must_use]
    pub fn follows(&self, before: &Self) -> bool {
        (self.hosts, self.system) == (before.hosts, before.system)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_kept_only_for_the_same_system() {
        let follows = |state, before| {
            let before = State::named(before).unwrap();
            State::named(state).unwrap().follows(before)
        };

        assert!(follows("changes", "bare") && follows("manager", "worker"));
        assert!(!follows("worker", "changes"));
        assert!(!follows("sles15", "el9"));
    }
}
