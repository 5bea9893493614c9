//! Container engines, swarms, registries.

/// What all engines share.
#[derive(Debug, Default)]
pub(crate) struct Engines {}

/// The engine of a host.
#[derive(Debug, Default)]
pub(crate) struct Engine {}
