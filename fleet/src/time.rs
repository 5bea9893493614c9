//! What things cost, in virtual time: medians that were measured on the lab's hosts.

use std::time::Duration;

/// What is done, and how many milliseconds it takes.
///
/// Measured on 2026-11-25 on hosts of the lab (2 processors), without the time of the connection.
/// What differs from real machines is said beside it.
const COSTS: &[(&str, u64)] = &[
    ("handshake", 180),
    ("fork", 1),
    ("sudo", 12),
    ("systemctl", 8),
    ("systemctl daemon-reload", 120),
    ("dockerd", 900),
    ("dockerd stop", 400),
    ("service", 60),
    ("apt-get", 250),
    ("apt-get update", 900),
    ("dpkg unpack", 350),
    ("dpkg configure", 250),
    ("dpkg-query", 12),
    ("apt-cache", 120),
    ("curl", 12),
    ("gpg", 40),
];

/// Returns what something costs.
pub(crate) fn of(what: &str) -> Duration {
    let found = COSTS.iter().find(|(name, _)| *name == what);
    Duration::from_millis(found.map_or(1, |(_, cost)| *cost))
}
