//! A first configuration: commented, right by itself, and frank about what is still to be done.
//!
//! Nothing is guessed in silence: what could not be known is a comment that begins with `TODO`, which
//! loading tells as a warning.
//!
//! - `hosts`: addresses and ranges of them
//! - `inventory`: hosts of a file, also of Ansible

mod hosts;
mod inventory;
mod write;

use std::fmt::Write as _;

pub use hosts::{ListedHost, parse_hosts};
pub use inventory::parse_inventory;

use crate::host::Role;
use crate::version::Version;

/// The version of MKE that is taken where none is asked for.
pub const USUAL_MKE: &str = "3.8.8";
/// The version of MSR that is taken.
const USUAL_MSR: &str = "2.9.28";
/// Channels of the engine that fit versions of MKE.
const CHANNELS: &[((u64, u64), &str)] = &[
    ((3, 9), "stable-29.2"),
    ((3, 8), "stable-25.0"),
    ((3, 7), "stable-23.0"),
];

/// What a first configuration is made of. What is not given is left to be done.
#[derive(Debug, Clone, Default)]
pub struct Starter {
    /// The name of the cluster.
    pub name: Option<String>,
    /// The hosts.
    pub hosts: Vec<ListedHost>,
    /// The login user of hosts that do not name one.
    pub user: Option<String>,
    /// The private key for hosts that do not name one.
    pub key: Option<String>,
    /// How many hosts are managers; proposed by their number unless given.
    pub managers: Option<usize>,
    /// How many hosts are for MSR; none where there is no MSR.
    pub msr_hosts: usize,
    /// The version of MKE.
    pub mke_version: Option<String>,
    /// The channel of the engine.
    pub channel: Option<String>,
    /// Whether the password of the administrator is in the environment already.
    pub has_password: bool,
}

/// The variable that the password of the administrator is taken from.
pub const PASSWORD_VARIABLE: &str = "MKE_ADMIN_PASSWORD";

/// Why no configuration can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StarterError {
    /// A text is neither a host nor a range of them.
    #[error("`{text}` is no host: {why}")]
    Host {
        /// What was given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A line of an inventory cannot be read.
    #[error("line {line} of the inventory: {why}")]
    Inventory {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// There are too many hosts.
    #[error("these are more than {0} hosts")]
    TooMany(usize),
    /// The number of managers is even, or none.
    #[error("{0} managers cannot outvote each other: use an odd number")]
    EvenManagers(usize),
    /// There are fewer hosts than are wanted.
    #[error("{wanted} are wanted, and there are {hosts} hosts")]
    TooFew {
        /// What is wanted (`5 managers`).
        wanted: String,
        /// How many hosts there are.
        hosts: usize,
    },
}

/// Returns how many of some hosts are best managers: an odd number, so that they can outvote each
/// other, and no more than helps.
pub fn propose_managers(hosts: usize) -> usize {
    match hosts {
        0..=2 => 1,
        3..=6 => 3,
        _ => 5,
    }
}

/// Returns the channel of the engine that fits a version of MKE, if it is known.
pub fn fitting_channel(mke_version: &str) -> Option<&'static str> {
    let version = Version::parse(mke_version).ok()?;
    let release = (version.major(), version.minor());
    let known = CHANNELS.iter().find(|(of, _)| *of == release);
    known.map(|(_, channel)| *channel)
}

impl Starter {
    /// Returns the configuration as YAML.
    ///
    /// # Errors
    ///
    /// Fails where the managers are an even number, or more hosts are wanted than there are.
    pub fn to_yaml(&self) -> Result<String, StarterError> {
        let roles = roles(self)?;
        Ok(write::document(self, &roles))
    }

    /// Returns the version of MKE that is written.
    fn version(&self) -> &str {
        self.mke_version.as_deref().unwrap_or(USUAL_MKE)
    }
}

/// A host with its role, and what is to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Assigned {
    host: ListedHost,
    role: Role,
    to_do: Option<String>,
}

/// Gives every host a role, those for MSR last. Roles that an inventory gives stay.
fn roles(starter: &Starter) -> Result<Vec<Assigned>, StarterError> {
    let mut assigned: Vec<Assigned> = starter.hosts.iter().map(Assigned::of).collect();
    let total = assigned.len();
    if total == 0 {
        return starter.managers.map_or(Ok(Vec::new()), |count| {
            is_odd(count)
                .then(Vec::new)
                .ok_or(StarterError::EvenManagers(count))
        });
    }
    let has_msr = assigned.iter().any(|one| one.role == Role::Msr);
    if !has_msr {
        if starter.msr_hosts >= total {
            let wanted = format!("{} hosts for MSR besides a manager", starter.msr_hosts);
            return Err(StarterError::TooFew {
                wanted,
                hosts: total,
            });
        }
        let free = assigned
            .iter_mut()
            .rev()
            .filter(|one| one.host.role.is_none());
        free.take(starter.msr_hosts)
            .for_each(|one| one.role = Role::Msr);
    }
    let rest = assigned.iter().filter(|one| one.role != Role::Msr).count();
    let listed = assigned
        .iter()
        .filter(|one| one.role == Role::Manager)
        .count();
    match starter.managers {
        Some(count) if !is_odd(count) => return Err(StarterError::EvenManagers(count)),
        Some(count) if count > rest => {
            let wanted = format!("{count} managers");
            return Err(StarterError::TooFew {
                wanted,
                hosts: rest,
            });
        }
        Some(count) => make_managers(&mut assigned, count),
        None if listed == 0 => make_managers(&mut assigned, propose_managers(rest)),
        None if is_odd(listed) => {}
        None => leave_one_out(&mut assigned, listed),
    }
    Ok(assigned)
}

fn is_odd(count: usize) -> bool {
    count % 2 == 1
}

impl Assigned {
    fn of(host: &ListedHost) -> Self {
        Self {
            role: host.role.unwrap_or(Role::Worker),
            host: host.clone(),
            to_do: None,
        }
    }
}

/// Makes as many managers as are wanted: those that are listed as such first.
fn make_managers(assigned: &mut [Assigned], count: usize) {
    let mut order: Vec<usize> = (0..assigned.len())
        .filter(|index| assigned[*index].role != Role::Msr)
        .collect();
    order.sort_by_key(|index| match assigned[*index].host.role {
        Some(Role::Manager) => 0,
        None => 1,
        Some(Role::Worker | Role::Msr) => 2,
    });
    for (place, index) in order.into_iter().enumerate() {
        let role = if place < count {
            Role::Manager
        } else {
            Role::Worker
        };
        assigned[index].role = role;
    }
}

/// An even number of managers is no better than one less: the last becomes a worker.
fn leave_one_out(assigned: &mut [Assigned], listed: usize) {
    let last = assigned
        .iter_mut()
        .rev()
        .find(|one| one.role == Role::Manager);
    if let Some(last) = last {
        last.role = Role::Worker;
        last.to_do = Some(format!(
            "the inventory names {listed} managers, and their number has to be odd: make this one a \
             manager and add another, or leave it a worker"
        ));
    }
}

/// Returns `1 manager and 2 workers`.
fn counted(assigned: &[Assigned]) -> String {
    let mut text = String::new();
    let of = |role| assigned.iter().filter(|one| one.role == role).count();
    let parts = [
        (of(Role::Manager), "manager", "managers"),
        (of(Role::Worker), "worker", "workers"),
        (of(Role::Msr), "host for MSR", "hosts for MSR"),
    ];
    for (count, one, several) in parts.into_iter().filter(|(count, ..)| *count > 0) {
        let gap = if text.is_empty() { "" } else { ", " };
        let what = if count == 1 { one } else { several };
        // Writing to a string cannot fail.
        let _ = write!(text, "{gap}{count} {what}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starter(hosts: &str) -> Starter {
        Starter {
            hosts: parse_hosts(hosts).unwrap(),
            ..Starter::default()
        }
    }

    fn count(starter: &Starter) -> String {
        counted(&roles(starter).unwrap())
    }

    #[test]
    fn managers_are_proposed_by_the_number_of_hosts() {
        for (hosts, roles) in [
            ("10.0.0.1", "1 manager"),
            ("10.0.0.1-10.0.0.2", "1 manager, 1 worker"),
            ("10.0.0.1-10.0.0.3", "3 managers"),
            ("10.0.0.1-10.0.0.6", "3 managers, 3 workers"),
            ("10.0.0.1-10.0.0.7", "5 managers, 2 workers"),
            ("10.0.0.1-10.0.0.99", "5 managers, 94 workers"),
        ] {
            assert_eq!(count(&starter(hosts)), roles, "{hosts}");
        }
    }

    #[test]
    fn wanted_managers_are_an_odd_number_of_the_hosts_that_are_there() {
        let with = |managers| Starter {
            managers: Some(managers),
            ..starter("10.0.0.1-10.0.0.4")
        };

        assert_eq!(count(&with(3)), "3 managers, 1 worker");
        assert_eq!(roles(&with(2)), Err(StarterError::EvenManagers(2)));
        assert_eq!(roles(&with(0)), Err(StarterError::EvenManagers(0)));
        let told = roles(&with(5)).unwrap_err().to_string();
        assert_eq!(told, "5 managers are wanted, and there are 4 hosts");
    }

    #[test]
    fn the_last_hosts_are_for_msr() {
        let with = |msr_hosts| Starter {
            msr_hosts,
            ..starter("10.0.0.1-10.0.0.4")
        };

        let assigned = roles(&with(1)).unwrap();

        assert_eq!(counted(&assigned), "3 managers, 1 host for MSR");
        assert_eq!(assigned[3].role, Role::Msr);
        assert!(roles(&with(4)).is_err());
    }

    #[test]
    fn roles_of_an_inventory_stay_but_for_an_even_manager() {
        let text = "[managers]\na\nb\n[workers]\nc\n[msr]\nd\n";
        let starter = Starter {
            hosts: parse_inventory(text).unwrap(),
            msr_hosts: 1,
            ..Starter::default()
        };

        let assigned = roles(&starter).unwrap();

        assert_eq!(counted(&assigned), "1 manager, 2 workers, 1 host for MSR");
        assert!(assigned[1].to_do.as_deref().unwrap().contains("2 managers"));
    }

    #[test]
    fn a_channel_fits_the_version() {
        assert_eq!(fitting_channel(USUAL_MKE), Some("stable-25.0"));
        assert_eq!(fitting_channel("3.9.2"), Some("stable-29.2"));
        assert_eq!(fitting_channel("4.0"), None);
        assert_eq!(fitting_channel("x"), None);
    }
}
