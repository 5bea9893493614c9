//! What differs between operating systems, as rows of a table, and what to do on each of them.
//!
//! Everything here is decided without I/O: functions take the texts that discovery has read and
//! return [`Action`]s; [`carry_out`] is the one short function that performs them on a host.
//!
//! | module | holds |
//! |---|---|
//! | [`family`] | the table of systems, and how a host finds its row |
//! | [`owned`] | the record, kept on the host, of what there is ours |
//! | [`environment`] | lines of /etc/environment |
//! | [`proxy`] | the engine's proxy settings: a systemd drop-in |
//! | [`daemon_json`] | the engine's configuration file |
//! | [`repository`] | the package repository of the engine, and its key |
//! | [`mcr`] | install and remove the engine |
//! | [`action`] | what to do on a host, and doing it |

pub mod action;
pub mod daemon_json;
pub mod environment;
pub mod family;
pub mod mcr;
pub mod owned;
pub mod proxy;
pub mod repository;

pub use action::{Action, ActionError, carry_out};
pub use family::{Selection, Unsupported, select};
pub use owned::Owned;
