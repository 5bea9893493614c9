//! Reaching a host: connections, commands, privilege, files, services, packages.

pub mod connection;
pub mod protocol;
