//! The doors of the fleet, judged by clients that know nothing of it: OpenSSH, and our own `rig`.
//!
//! | module | holds |
//! |---|---|
//! | `house` | a fleet whose doors are open, and the clients of the system |
//! | `exec` | commands: their streams, their ends |
//! | `login` | who gets in |
//! | `terminal` | shells that somebody types to |
//! | `transfer` | files, over `sftp` and `scp` |
//! | `forward` | hosts as bastions |
//! | `ours` | many commands at once |
//! | `registries` | registries over HTTPS |
//! | `pace` | the time of hosts |
//! | `state` | servers that stop, hosts that fall silent, faults |

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod exec;
mod forward;
mod house;
mod login;
mod ours;
mod pace;
mod registries;
mod state;
mod terminal;
mod transfer;
