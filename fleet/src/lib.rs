//! Simulated hosts: in-memory files, a POSIX shell, packages, services, a container engine, a swarm
//! and MKE, in virtual time.
//!
//! A host behaves as the real one would: commands are parsed and run, never recognised by their
//! text. What a host does not know fails loudly with its own error, and is listed
//! ([`Fleet::not_simulated`]).
//!
//! No clock, thread, socket, file or random number of the machine is touched: time is
//! `tokio::time`, which a rehearsal pauses, and every choice comes from the seed. Only who opens
//! [`door`]s gets sockets and a thread.
//!
//! | module | holds |
//! |---|---|
//! | [`world`] | the fleet: all hosts and what is around them, behind one lock |
//! | [`build`] | building hosts |
//! | `environment` | the variables of processes |
//! | [`host`] | one host: everything that it is |
//! | [`files`] | its file tree |
//! | [`accounts`] | its users and groups |
//! | [`packages`] | its packages, and what repositories offer |
//! | [`systemd`] | its units and services |
//! | `openrc` | its services where OpenRC runs it |
//! | `inside` | hosts in containers |
//! | [`network`] | interfaces, names, sites, who reaches whom |
//! | [`connection`] | how hosts are reached |
//! | [`door`] | how they are reached from outside: real SSH sockets |
//! | [`outside`] | repositories of packages outside of the fleet |
//! | [`fault`] | what goes wrong, and when |
//! | [`scenario`] | what hosts are like and what goes wrong, as YAML |
//! | [`snapshot`] | what a host is, as lines that can be compared |
//! | [`profile`] | operating systems as data |
//! | `process` | its processes and their signals |
//! | `pipe` | byte streams between processes |
//! | `terminal` | terminals: what is between who types and what reads |
//! | `open` | files that are opened as streams |
//! | [`script`] | scripts that mean the same and look different, for tests |
//! | `shell` | the interpreter |
//! | `program` | the programs that a host can run, in tables |
//! | `engine` | container engines, swarms, registries |

pub mod access;
pub mod accounts;
pub mod build;
pub mod connection;
pub mod door;
pub(crate) mod engine;
pub(crate) mod environment;
pub mod fault;
pub mod files;
pub mod host;
pub(crate) mod inside;
pub mod network;
pub(crate) mod open;
pub(crate) mod openrc;
pub mod outside;
pub mod packages;
pub(crate) mod pipe;
pub(crate) mod process;
pub mod profile;
pub(crate) mod program;
pub mod scenario;
pub mod script;
pub(crate) mod shell;
pub mod snapshot;
pub mod systemd;
pub(crate) mod terminal;
#[cfg(test)]
pub(crate) mod testing;
mod time;
mod web;
pub mod world;

pub use engine::{Build, Quorum};
pub use world::{Fleet, HostId, NotSimulated};
