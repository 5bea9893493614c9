//! What can go wrong before a run, and exit statuses.

use std::fmt::Write as _;
use std::path::PathBuf;

use config::Diagnostics;

/// Everything is done.
pub const DONE: u8 = 0;
/// A run failed, or was done only in part.
pub const FAILED: u8 = 1;
/// Something was typed wrong, or the configuration is.
pub const USAGE: u8 = 2;
/// `plan` and dry runs only: something would change.
pub const PENDING: u8 = 3;

/// Returns the exit status of a run that a signal has ended.
pub fn signalled(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(FAILED)
}

/// Why a command did not get to its run.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// There is no configuration.
    #[error(transparent)]
    NoConfig(#[from] config::NotFound),
    /// The configuration cannot be read.
    #[error("cannot read the configuration `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The configuration is wrong.
    #[error("{0}")]
    Config(Diagnostics),
    /// An argument is wrong.
    #[error("{0}")]
    Usage(String),
    /// What a command needs before it begins cannot be had: keys of hosts, sockets.
    #[error("{0}")]
    Prepare(String),
    /// Nobody confirmed what destroys.
    #[error("not confirmed: nothing was changed")]
    NotConfirmed,
    /// The command is known and not there yet.
    #[error("this version of launchpad has no `{0}` command yet")]
    NotYet(&'static str),
    /// Something on this machine does not work.
    #[error("{what}")]
    Local {
        /// What was tried.
        what: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A signal came before the run had begun.
    #[error("interrupted")]
    Interrupted(i32),
}

impl CliError {
    /// Returns the exit status.
    pub fn status(&self) -> u8 {
        match self {
            Self::NoConfig(_)
            | Self::Read { .. }
            | Self::Config(_)
            | Self::Usage(_)
            | Self::NotYet(_) => USAGE,
            Self::Prepare(_) | Self::NotConfirmed | Self::Local { .. } => FAILED,
            Self::Interrupted(signal) => signalled(*signal),
        }
    }

    /// Returns the text that is printed, causes included.
    pub fn text(&self) -> String {
        if let Self::Config(diagnostics) = self {
            return diagnostics.to_string();
        }
        let mut text = format!("error: {self}");
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n  because {cause}");
            source = cause.source();
        }
        if let Some(hint) = self.hint() {
            let _ = write!(text, "\n  hint: {hint}");
        }
        text
    }

    /// Returns one step that the user can take.
    fn hint(&self) -> Option<&'static str> {
        use std::io::ErrorKind;
        let Self::Local { source, .. } = self else {
            return None;
        };
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Some("make room there, and run the command again")
            }
            ErrorKind::PermissionDenied => Some("check whose it is, and what you may do there"),
            ErrorKind::ReadOnlyFilesystem => {
                Some("set `HOME` to a directory that can be written to")
            }
            _ => None,
        }
    }
}
