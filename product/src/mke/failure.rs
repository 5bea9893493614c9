//! Turns the errors of `rig` into failures that events can carry.

use phase::Failure;
use phase::failure::FailedCommand;
use rig::CommandError;

/// How many lines of standard error a failure shows.
const STDERR_LINES: usize = 20;

/// Explains why a command on a host failed.
pub fn explain(what: &str, error: &CommandError) -> Failure {
    let mut failure = Failure::new(what).caused_by(error);
    if let Some((command, status, stderr)) = error.exited() {
        failure = failure.command(FailedCommand {
            command: command.to_owned(),
            status: status.to_string(),
            stderr_tail: last_lines(stderr),
        });
    }
    if let Some(hint) = error.hint() {
        failure = failure.hint(hint);
    }
    if error.is_connection_lost() {
        failure = failure.unreachable();
    }
    failure
}

/// Explains why a command on a host failed, with a step that helps where the error names none.
pub fn explain_or(what: &str, error: &CommandError, otherwise: impl Into<String>) -> Failure {
    let failure = explain(what, error);
    match failure.hint {
        Some(_) => failure,
        None => failure.hint(otherwise),
    }
}

/// Returns the lines of standard error that a failure shows.
pub fn last_lines(stderr: &str) -> Vec<String> {
    let mut tail: Vec<String> = stderr
        .lines()
        .rev()
        .take(STDERR_LINES)
        .map(str::to_owned)
        .collect();
    tail.reverse();
    tail
}

/// Explains why an action on a host failed.
pub fn explain_action(error: &configurer::ActionError) -> Failure {
    explain(&error.to_string(), &error.source)
}
