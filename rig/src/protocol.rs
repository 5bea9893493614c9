//! The kinds of connections.

pub mod local;
pub mod ssh;
