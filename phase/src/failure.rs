//! An error as data, so that it can cross the event stream and be grouped over hosts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a step, a check or a run failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What could not be done, lower case, without the host.
    pub message: String,
    /// The causes, outermost first.
    pub causes: Vec<String>,
    /// Name of the host, where the failure is one host's.
    pub host: Option<String>,
    /// Id of the phase, filled in by the manager.
    pub phase: Option<String>,
    /// The remote command that failed.
    pub command: Option<FailedCommand>,
    /// One step that the user can take.
    pub hint: Option<String>,
    /// Whether the host could not be reached at all.
    pub unreachable: bool,
}

/// A remote command that failed, redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedCommand {
    /// The command as text, redacted.
    pub command: String,
    /// Its exit status as text (`exit status 3`, `signal KILL`).
    pub status: String,
    /// The last lines of its standard error.
    pub stderr_tail: Vec<String>,
}

impl Failure {
    /// Makes a failure with a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
            host: None,
            phase: None,
            command: None,
            hint: None,
            unreachable: false,
        }
    }

    /// Adds an error and its sources as causes.
    #[must_use]
    pub fn caused_by(mut self, error: &(dyn std::error::Error + '_)) -> Self {
        let mut next: Option<&dyn std::error::Error> = Some(error);
        while let Some(cause) = next {
            self.causes.push(cause.to_string());
            next = cause.source();
        }
        self
    }

    /// Sets the hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets the failed command.
    #[must_use]
    pub fn command(mut self, command: FailedCommand) -> Self {
        self.command = Some(command);
        self
    }

    /// Names the host, unless one is named already.
    #[must_use]
    pub fn on_host(mut self, host: &str) -> Self {
        self.host.get_or_insert_with(|| host.to_owned());
        self
    }

    /// Names the phase, unless one is named already.
    #[must_use]
    pub fn in_phase(mut self, phase: &str) -> Self {
        self.phase.get_or_insert_with(|| phase.to_owned());
        self
    }

    /// Marks the host as unreachable.
    #[must_use]
    pub fn unreachable(mut self) -> Self {
        self.unreachable = true;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = &self.host {
            write!(f, "{host}: ")?;
        }
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
