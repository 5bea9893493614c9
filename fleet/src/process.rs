//! Processes and their signals.

/// The id of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pid(pub(crate) u32);

/// The processes of a host.
#[derive(Debug, Default)]
pub(crate) struct Processes {}
