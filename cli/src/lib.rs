//! The launchpad binary
