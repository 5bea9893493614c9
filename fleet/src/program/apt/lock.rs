//! The locks of the package manager.

use std::time::Duration;

use crate::packages::{Holder, Packages};
use crate::process::Pid;
use crate::program::Invocation;
use crate::world::{Fleet, HostId};

/// Which of the locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// `/var/lib/dpkg/lock-frontend`.
    Packages,
    /// `/var/lib/apt/lists/lock`.
    Lists,
}

impl Which {
    fn of(self, packages: &mut Packages) -> &mut Option<Holder> {
        match self {
            Self::Packages => &mut packages.holder,
            Self::Lists => &mut packages.list_holder,
        }
    }
}

/// A lock that is held until this is dropped.
pub(crate) struct Held {
    fleet: Fleet,
    host: HostId,
    pid: Pid,
    which: Which,
}

impl Drop for Held {
    fn drop(&mut self) {
        let pid = self.pid.0;
        self.fleet.host(self.host, |host| {
            let slot = self.which.of(&mut host.packages);
            if slot.as_ref().is_some_and(|holder| holder.pid == pid) {
                *slot = None;
            }
        });
    }
}

/// Takes a lock, at most `limit` later.
///
/// # Errors
///
/// Returns who holds it.
pub(crate) async fn take(
    invocation: &mut Invocation,
    which: Which,
    limit: u64,
) -> Result<Held, Holder> {
    let started = invocation.fleet.elapsed();
    loop {
        let now = invocation.fleet.elapsed();
        let (pid, name) = (invocation.pid, invocation.name.clone());
        let holder = invocation.host(|host| {
            let slot = which.of(&mut host.packages);
            let is_over = |holder: &Holder| holder.until.is_some_and(|until| until <= now);
            if slot.as_ref().is_some_and(is_over) {
                *slot = None;
            }
            if slot.is_none() {
                *slot = Some(Holder {
                    pid: pid.0,
                    name,
                    until: None,
                });
                return None;
            }
            slot.clone()
        });
        let Some(holder) = holder else {
            return Ok(Held {
                fleet: invocation.fleet.clone(),
                host: invocation.host,
                pid,
                which,
            });
        };
        if (now - started).as_secs() >= limit {
            return Err(holder);
        }
        invocation.sleep(Duration::from_secs(1)).await;
    }
}

/// Says that a lock is held, as apt does.
pub(crate) fn complain(invocation: &mut Invocation, which: Which, holder: &Holder) -> u8 {
    let (path, end) = match which {
        Which::Packages => (
            "/var/lib/dpkg/lock-frontend",
            "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is \
             another process using it?\n",
        ),
        Which::Lists => (
            "/var/lib/apt/lists/lock",
            "E: Unable to lock directory /var/lib/apt/lists/\n",
        ),
    };
    invocation.complain(&format!(
        "E: Could not get lock {path}. It is held by process {} ({})\nN: Be aware that removing \
         the lock file is not a solution and may break your system.\n{end}",
        holder.pid, holder.name
    ));
    100
}

/// Refuses whoever is not root.
pub(crate) fn needs_root(invocation: &mut Invocation, which: Which) -> Option<u8> {
    if invocation.credentials.uid == 0 {
        return None;
    }
    invocation.complain(match which {
        Which::Packages => {
            "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission \
             denied)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), \
             are you root?\n"
        }
        Which::Lists => {
            "E: Could not open lock file /var/lib/apt/lists/lock - open (13: Permission \
             denied)\nE: Unable to lock directory /var/lib/apt/lists/\n"
        }
    });
    Some(100)
}
