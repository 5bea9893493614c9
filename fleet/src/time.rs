//! What things cost, in virtual time: medians that were measured on the lab's hosts.

use std::time::Duration;

/// What is done, and how many milliseconds it takes.
///
/// Measured on 2026-11-25 on hosts of the lab (2 processors), without the time of the connection.
/// What differs from real machines is said beside it.
const COSTS: &[(&str, u64)] = &[
    ("handshake", 150),
    ("sudo", 7),
    ("systemctl", 8),
    ("systemctl daemon-reload", 150),
    ("dockerd", 470),
    ("service", 20),
    ("apt-get", 17),
    ("apt-get update", 150),
    ("dpkg unpack", 550),
    ("dpkg configure", 80),
    ("dpkg-query", 5),
    ("apt-cache", 90),
    ("dnf", 420),
    ("zypper", 350),
    ("curl", 22),
    ("gpg", 3),
];

/// Returns what something costs.
pub(crate) fn of(what: &str) -> Duration {
    let found = COSTS.iter().find(|(name, _)| *name == what);
    Duration::from_millis(found.map_or(1, |(_, cost)| *cost))
}
