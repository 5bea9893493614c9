//! Reaching a host: connections, commands, privilege, files, services, packages.
//!
//! A [`Host`] runs commands on a machine without knowing how it is reached: behind a
//! [`Connection`] may be SSH, the machine itself, or a simulated host. The one rule: a command is
//! built from arguments, is declared as reading or changing, and says honestly how it ended.
//!
//! | module | holds |
//! |---|---|
//! | [`host`] | the handle of a host: run, stream, dial |
//! | `exchange` | one command on its way |
//! | [`attached`] | a command whose streams belong to whoever started it |
//! | [`command`] | commands as data, and the program that is sent |
//! | [`connection`] | the seam: `Connection`, `Connector`, endpoints, errors |
//! | [`protocol`] | SSH, the system's `ssh`, and the local machine |
//! | [`privilege`] | how a command becomes root |
//! | [`files`] | small files: read, atomic write |
//! | [`transfer`] | files of any size, up and down, checked |
//! | [`services`] | systemd and OpenRC |
//! | [`packages`] | apt, dnf and yum, zypper |
//! | [`os`] | os-release |
//! | [`shell`] | quoting |
//! | [`redact`] | known secrets, taken out of texts |
//! | [`observer`] | what happens, for whoever shows it |
//! | [`retry`] | trying again |
//! | [`access`] | what a login finds on a host: one script |
//! | [`passage`] | how a connection came to be |
//! | [`sessions`] | how many sessions a host allows |
//! | [`limits`] | bounds that all hosts share |

pub mod access;
pub mod attached;
pub mod command;
pub mod connection;
pub(crate) mod exchange;
pub mod files;
pub mod host;
pub mod limits;
pub mod observer;
pub mod os;
pub mod packages;
pub mod passage;
pub mod privilege;
pub mod protocol;
pub mod redact;
pub(crate) mod remedy;
pub mod retry;
pub mod services;
pub mod sessions;
pub mod shell;
pub mod transfer;

pub use command::{Command, Effect};
pub use connection::{ConnectError, Connection, ConnectionError, Connector, Endpoint, ExitStatus};
pub use host::{CommandError, Confirm, Host, HostOptions, Output, Streamed};
pub use passage::Passage;
