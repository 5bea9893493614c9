//! Running the machine's programs: an argument list, a deadline, and all of what they printed.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// How long a command may take unless it says otherwise.
const DEADLINE: Duration = Duration::from_secs(120);

/// How many of the last lines of a failed command are shown.
const SHOWN_LINES: usize = 20;

/// A program with its arguments, not run yet.
#[derive(Debug)]
pub(crate) struct Cmd {
    program: OsString,
    args: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: Option<OsString>,
    input: Option<Vec<u8>>,
    deadline: Duration,
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Finished {
    /// Returns the exit status as a number, as a shell would show it.
    pub(crate) fn code(&self) -> i32 {
        exit_code(self.status)
    }

    /// Returns the output without the white space around it.
    pub(crate) fn text(&self) -> &str {
        self.stdout.trim()
    }
}

/// Returns an exit status as a number, with 128 added to the number of a signal.
pub(crate) fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(-1)
}

impl Cmd {
    /// Names the program.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            environment: Vec::new(),
            directory: None,
            input: None,
            deadline: DEADLINE,
        }
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub(crate) fn args<I>(mut self, args: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Runs the program in a directory.
    pub(crate) fn inside(mut self, directory: &Path) -> Self {
        self.directory = Some(directory.as_os_str().to_owned());
        self
    }

    /// Gives the program its standard input.
    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// Limits the time the program may take.
    pub(crate) fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Starts the program with pipes for its streams; it is killed where nobody waits for it.
    pub(crate) fn spawn(self) -> Result<tokio::process::Child> {
        let shown = self.shown();
        self.command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start `{shown}`"))
    }

    /// Runs the program to its end, whatever its exit status is.
    pub(crate) async fn finish(self) -> Result<Finished> {
        let shown = self.shown();
        let started = Instant::now();
        let mut child = self
            .command()
            .stdin(if self.input.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{shown}`"))?;
        let stdin = child.stdin.take();
        let feed = async {
            if let (Some(mut stdin), Some(input)) = (stdin, &self.input) {
                // A program may end without having read all: its status tells how it went.
                let _ = stdin.write_all(input).await;
            }
        };
        let both = async { tokio::join!(feed, child.wait_with_output()).1 };
        let output = match tokio::time::timeout(self.deadline, both).await {
            Ok(output) => output.with_context(|| format!("cannot wait for `{shown}`"))?,
            Err(_) => bail!(
                "`{shown}` has not ended after {} s",
                self.deadline.as_secs()
            ),
        };
        Ok(Finished {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took: started.elapsed(),
        })
    }

    /// Runs the program; any exit status but 0 is an error that shows its last lines.
    pub(crate) async fn run(self) -> Result<Finished> {
        let shown = self.shown();
        let finished = self.finish().await?;
        if !finished.status.success() {
            let said = last_lines(
                &format!("{}{}", finished.stdout, finished.stderr),
                SHOWN_LINES,
            );
            bail!("`{shown}` ended with status {}:\n{said}", finished.code());
        }
        Ok(finished)
    }

    /// Says whether the program runs and ends with status 0.
    pub(crate) async fn succeeds(self) -> bool {
        self.finish()
            .await
            .is_ok_and(|finished| finished.status.success())
    }

    /// Runs this program with its output as the input of another; both must succeed.
    pub(crate) async fn pipe_into(self, next: Self) -> Result<Finished> {
        let (shown, next_shown) = (self.shown(), next.shown());
        let deadline = self.deadline.max(next.deadline);
        let started = Instant::now();
        let mut first = self
            .command()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .with_context(|| format!("cannot start `{shown}`"))?;
        let pipe: Stdio = first
            .stdout
            .take()
            .context("the first program of a pipe has no output")?
            .try_into()
            .context("cannot hand over the output of the first program of a pipe")?;
        let second = next
            .command()
            .stdin(pipe)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{next_shown}`"))?;
        let both = async { tokio::try_join!(first.wait(), second.wait_with_output()) };
        let (status, output) = tokio::time::timeout(deadline, both)
            .await
            .with_context(|| format!("`{shown}` | `{next_shown}` has not ended in time"))??;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        if !status.success() || !output.status.success() {
            bail!(
                "`{shown}` | `{next_shown}` ended with status {} and {}:\n{}",
                exit_code(status),
                exit_code(output.status),
                last_lines(&stderr, SHOWN_LINES)
            );
        }
        Ok(Finished {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr,
            took: started.elapsed(),
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .envs(self.environment.iter().cloned())
            .kill_on_drop(true);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command
    }

    fn shown(&self) -> String {
        let mut shown = self.program.to_string_lossy().into_owned();
        for arg in &self.args {
            shown.push(' ');
            shown.push_str(&arg.to_string_lossy());
        }
        shown
    }
}

/// Returns the last lines of a text.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failed_command_shows_what_it_printed() {
        let error = Cmd::new("sh")
            .arg("-c")
            .arg("echo broken >&2; exit 3")
            .run()
            .await
            .unwrap_err();

        let shown = error.to_string();
        assert!(
            shown.contains("status 3") && shown.contains("broken"),
            "{shown}"
        );
    }

    #[tokio::test]
    async fn a_command_ends_at_its_deadline() {
        let error = Cmd::new("sleep")
            .arg("60")
            .within(Duration::from_millis(50))
            .finish()
            .await
            .unwrap_err();

        assert!(error.to_string().contains("has not ended"), "{error}");
    }

    #[tokio::test]
    async fn input_larger_than_a_pipe_reaches_the_command() {
        let finished = Cmd::new("wc")
            .arg("-c")
            .input(vec![b'x'; 1 << 20])
            .run()
            .await
            .unwrap();

        assert_eq!(finished.text(), "1048576");
    }

    #[tokio::test]
    async fn a_pipe_fails_when_its_first_command_fails() {
        let first = Cmd::new("sh").arg("-c").arg("echo some; exit 4");

        let error = first.pipe_into(Cmd::new("cat")).await.unwrap_err();

        assert!(error.to_string().contains("status 4 and 0"), "{error}");
    }
}
