//! The programs that a host can run, in tables.
//!
//! A program is there where the file tree of the host has an executable file with its name as
//! [`Content::Program`](crate::files::Content): `command -v docker` finds nothing before the package
//! is installed.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::files::Credentials;
use crate::pipe::{Reader, Writer};
use crate::process::Pid;
use crate::world::{Fleet, HostId};

/// A program that is simulated.
pub(crate) struct Program {
    /// Its name: the last part of its path.
    pub(crate) name: &'static str,
    /// Runs it; returns its exit status.
    pub(crate) run: for<'a> fn(&'a mut Invocation) -> BoxFuture<'a, u8>,
}

/// One run of a program.
pub(crate) struct Invocation {
    /// The fleet.
    pub(crate) fleet: Fleet,
    /// The host that it runs on.
    pub(crate) host: HostId,
    /// Its process.
    pub(crate) pid: Pid,
    /// The name that it was called by.
    pub(crate) name: String,
    /// Its arguments, without the name.
    pub(crate) arguments: Vec<String>,
    /// Its environment.
    pub(crate) environment: BTreeMap<String, String>,
    /// Its working directory.
    pub(crate) directory: String,
    /// Who runs it.
    pub(crate) credentials: Credentials,
    /// The bits that new files do not get.
    pub(crate) umask: u32,
    /// Standard input.
    pub(crate) stdin: Reader,
    /// Standard output.
    pub(crate) stdout: Writer,
    /// Standard error.
    pub(crate) stderr: Writer,
    /// How much time it has used and not waited for yet.
    pub(crate) owed: Duration,
}
