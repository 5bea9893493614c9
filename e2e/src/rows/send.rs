//! Running one row on a host, as launchpad runs a command.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use parity::{Answer, Row, Word};

use crate::lab::Lab;
use crate::lab::services::PRIVATE_PASSWORD_FILE;

/// How long a row may take; the slowest takes a quarter of a minute.
const DEADLINE: Duration = Duration::from_secs(300);

/// What the ssh client says with status 255 where it was not the shell that ended so.
const SSH_FAILURES: &[&str] = &[
    "ssh: ",
    "Connection ",
    "kex_exchange_identification: ",
    "Host key verification failed.",
    "client_loop: ",
];

/// Runs a row and returns what came.
pub(super) async fn send(lab: &Lab, row: &Row) -> Result<Answer> {
    let mut words = Vec::new();
    for word in row.words() {
        words.push((word, value(lab, row, word).await?));
    }
    let ended = lab
        .host(&row.host)?
        .ssh(&["exec /bin/sh -s"])
        .input(row.program(&words))
        .within(DEADLINE)
        .finish()
        .await?;
    let status = u32::try_from(ended.code()).context("the ssh client has no exit status")?;
    if let Some(failure) = ssh_failure(status, &ended.stderr) {
        bail!("the host was not reached: {failure}");
    }
    Ok(Answer {
        status,
        stdout: ended.stdout,
        stderr: ended.stderr,
    })
}

/// Returns what a word stands for at this moment.
async fn value(lab: &Lab, row: &Row, word: Word) -> Result<String> {
    let Some((host, command)) = word.question(row) else {
        let file = lab.dir().join(PRIVATE_PASSWORD_FILE);
        return std::fs::read_to_string(file)
            .context("cannot read the password of the private registry");
    };
    let said = lab.host(host)?.exec(["sh", "-c", command]).finish().await?;
    // A host outside of the swarm has no answer; then the row is about that.
    Ok(said.text().to_owned())
}

/// Returns the words of the ssh client where they are its own.
fn ssh_failure(status: u32, stderr: &str) -> Option<&str> {
    let last = stderr.lines().last()?;
    let is_own = SSH_FAILURES.iter().any(|start| last.starts_with(start));
    (status == 255 && is_own).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_not_reached_gives_no_answer() {
        let refused = "ssh: connect to host 10.77.1.1 port 22: Connection refused\n";

        assert_eq!(ssh_failure(255, refused), Some(refused.trim_end()));
    }

    #[test]
    fn a_shell_that_a_signal_has_ended_gives_one() {
        assert_eq!(ssh_failure(255, ""), None);
        assert_eq!(ssh_failure(255, "some: killed\n"), None);
        assert_eq!(ssh_failure(7, "ssh: not the client\n"), None);
    }
}
