//! The binary against a private sshd: what a real server and a real terminal show, and nothing else
//! does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod bastion;
mod check;
mod server;
mod ssh_config;
mod terminal;

use std::time::Duration;

/// Longer than anything here takes, shorter than a hang is noticed by a person.
const SOON: Duration = Duration::from_secs(60);
