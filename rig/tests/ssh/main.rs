//! SSH against a real sshd on the loopback: what the protocol library gets wrong, what servers do
//! to clients, and what users have in their `~/.ssh`.
//!
//! | module | holds |
//! |---|---|
//! | `server` | a private sshd with a home directory of its own for the client |
//! | `channels` | processes and streams: windows, floods, lost connections, ends |
//! | `authentication` | certificates, agents, old keys, passwords |
//! | `trust` | host certificates, addresses, peers that are no sshd |
//! | `connecting` | keys, agents, passphrases, host keys, limits, silence |
//! | `bastion` | hosts behind other hosts |
//! | `host` | the handle of a host: commands, banners, time-outs, files |
//! | `attached` | commands whose streams the user holds, and terminals |
//! | `openssh` | the same over the `ssh` of the system, and nothing left behind |

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod attached;
mod authentication;
mod bastion;
mod channels;
mod connecting;
mod host;
mod openssh;
mod server;
mod trust;
