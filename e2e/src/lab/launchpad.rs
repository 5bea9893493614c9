//! Running the binary of Launchpad as its users do, and keeping what it printed with the time of each line.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::command::{exit_code, last_lines};
use crate::paths::write;

/// How long a run may take unless a story says otherwise.
const DEADLINE: Duration = Duration::from_secs(600);

/// The binary and the world it runs in.
#[derive(Clone, Debug)]
pub(crate) struct Launchpad {
    binary: PathBuf,
    home: PathBuf,
    /// Where what it prints is kept for whoever looks for the cause of a failure.
    logs: PathBuf,
    environment: Vec<(String, String)>,
}

impl Launchpad {
    /// Names the binary, the home directory and a directory for output.
    pub(crate) fn new(binary: &Path, home: &Path, logs: &Path) -> Result<Self> {
        if !binary.is_file() {
            bail!(
                "there is no `{}`: build it with `cargo build --release -p cli`",
                binary.display()
            );
        }
        Ok(Self {
            binary: binary.to_owned(),
            home: home.to_owned(),
            logs: logs.to_owned(),
            // What the product no longer asks for, and the one before it did.
            environment: [
                "ACCEPT_LICENSE",
                "DISABLE_TELEMETRY",
                "DISABLE_UPGRADE_CHECK",
            ]
            .map(|name| (name.to_owned(), "true".to_owned()))
            .to_vec(),
        })
    }

    /// Sets an environment variable for every run.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs it to its end, whatever the exit status is.
    pub(crate) async fn run(&self, args: &[&str]) -> Result<Run> {
        self.start(args)?.finish(DEADLINE).await
    }

    /// Starts it and lets it run.
    pub(crate) fn start(&self, args: &[&str]) -> Result<Running> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut child = Command::new(&self.binary)
            .args(args)
            .env_clear()
            .env("PATH", path)
            .env("HOME", &self.home)
            .env("LANG", "C.UTF-8")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start `{}`", self.binary.display()))?;
        let output = Output::new();
        let stdout = child.stdout.take().context("launchpad has no output")?;
        let stderr = child
            .stderr
            .take()
            .context("launchpad has no error output")?;
        let readers = [
            tokio::spawn(output.clone().read(Stream::Stdout, stdout)),
            tokio::spawn(output.clone().read(Stream::Stderr, stderr)),
        ];
        Ok(Running {
            args: args.join(" "),
            child,
            output,
            readers,
            logs: self.logs.clone(),
        })
    }
}

/// Where a line was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Data.
    Stdout,
    /// Talk.
    Stderr,
}

/// A line and when it came, counted from the start.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) at: Duration,
    pub(crate) stream: Stream,
    pub(crate) text: String,
}

/// The lines of a run, growing.
#[derive(Clone)]
struct Output {
    started: Instant,
    lines: Arc<Mutex<Vec<Line>>>,
}

impl Output {
    fn new() -> Self {
        Self {
            started: Instant::now(),
            lines: Arc::default(),
        }
    }

    fn lines(&self) -> Vec<Line> {
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn read(self, stream: Stream, from: impl AsyncRead + Unpin) {
        let mut from = BufReader::new(from);
        let mut bytes = Vec::new();
        // An unreadable pipe is a closed one: the exit status tells the rest.
        while matches!(from.read_until(b'\n', &mut bytes).await, Ok(1..)) {
            let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            bytes.clear();
            let line = Line {
                at: self.started.elapsed(),
                stream,
                text,
            };
            self.lines
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        }
    }
}

/// A run that has not ended.
pub(crate) struct Running {
    args: String,
    child: Child,
    output: Output,
    readers: [JoinHandle<()>; 2],
    logs: PathBuf,
}

impl Running {
    /// Returns the id of the process.
    pub(crate) fn pid(&self) -> Result<u32> {
        self.child.id().context("launchpad has ended already")
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid()?).ok().and_then(Pid::from_raw);
        kill_process(pid.context("not the id of a process")?, signal)
            .with_context(|| format!("cannot send {signal:?} to launchpad"))
    }

    /// Waits for something else; an end of the run before it is an error.
    pub(crate) async fn until(&mut self, other: impl Future<Output = Result<()>>) -> Result<()> {
        tokio::select! {
            other = other => other,
            ended = self.child.wait() => {
                let code = exit_code(ended.context("cannot wait for launchpad")?);
                let said = shown(&self.output.lines());
                bail!(
                    "`launchpad {}` ended with {code} too early; its last lines:\n{}",
                    self.args,
                    last_lines(&said, 20)
                );
            }
        }
    }

    /// Waits for the end.
    pub(crate) async fn finish(mut self, deadline: Duration) -> Result<Run> {
        let ended = tokio::time::timeout(deadline, self.child.wait()).await;
        let took = self.output.started.elapsed();
        let code = match ended {
            Ok(status) => Some(exit_code(status.context("cannot wait for launchpad")?)),
            Err(_) => {
                self.child.kill().await.context("cannot kill launchpad")?;
                None
            }
        };
        for reader in &mut self.readers {
            // A process it left behind may hold the pipe: what came so far is what there is.
            let _ = tokio::time::timeout(Duration::from_secs(2), reader).await;
        }
        let run = Run {
            args: self.args,
            code: code.unwrap_or(-1),
            took,
            lines: self.output.lines(),
        };
        run.save(&self.logs)?;
        if code.is_none() {
            bail!(
                "`launchpad {}` has not ended after {} s; its last lines:\n{}",
                run.args,
                deadline.as_secs(),
                last_lines(&run.text(), 20)
            );
        }
        Ok(run)
    }
}

/// A run that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) args: String,
    pub(crate) code: i32,
    pub(crate) took: Duration,
    pub(crate) lines: Vec<Line>,
}

impl Run {
    /// Fails unless the exit status is the expected one.
    pub(crate) fn expect(self, code: i32) -> Result<Self> {
        if self.code != code {
            bail!(
                "`launchpad {}` ended with {} instead of {code}; its last lines:\n{}",
                self.args,
                self.code,
                last_lines(&self.text(), 30)
            );
        }
        Ok(self)
    }

    /// Returns all that was printed.
    pub(crate) fn text(&self) -> String {
        shown(&self.lines)
    }

    fn save(&self, dir: &Path) -> Result<()> {
        let count = std::fs::read_dir(dir).map_or(0, Iterator::count);
        let verb = self.args.split_whitespace().next().unwrap_or("none");
        let mut text = format!(
            "launchpad {}\nexit status {} after {:.1} s\n",
            self.args,
            self.code,
            self.took.as_secs_f64()
        );
        for line in &self.lines {
            let mark = if line.stream == Stream::Stdout {
                ' '
            } else {
                '!'
            };
            text.push_str(&format!(
                "{:8.2}{mark} {}\n",
                line.at.as_secs_f64(),
                line.text
            ));
        }
        write(&dir.join(format!("{:03}-{verb}.log", count + 1)), text)
    }
}

fn shown(lines: &[Line]) -> String {
    lines
        .iter()
        .map(|line| format!("{}\n", line.text))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(dir: &Path) -> Launchpad {
        Launchpad::new(Path::new("/bin/sh"), dir, &dir.join("logs")).unwrap()
    }

    #[tokio::test]
    async fn output_is_kept_by_stream_and_saved() {
        let dir = tempfile::tempdir().unwrap();

        let run = shell(dir.path())
            .run(&["-c", "echo data; echo talk >&2; exit 3"])
            .await
            .unwrap();

        let of = |stream| -> Vec<&str> {
            let lines = run.lines.iter().filter(|line| line.stream == stream);
            lines.map(|line| line.text.as_str()).collect()
        };
        assert_eq!(
            (run.code, of(Stream::Stdout), of(Stream::Stderr)),
            (3, vec!["data"], vec!["talk"])
        );
        assert_eq!(
            std::fs::read_dir(dir.path().join("logs")).unwrap().count(),
            1
        );
        assert!(run.expect(0).is_err());
    }

    #[tokio::test]
    async fn a_signal_ends_a_run() {
        let dir = tempfile::tempdir().unwrap();
        let ready = dir.path().join("ready");
        let script = format!("touch '{}'; exec sleep 60", ready.display());
        let mut running = shell(dir.path()).start(&["-c", &script]).unwrap();
        let waiting = async {
            while !ready.exists() {
                tokio::task::yield_now().await;
            }
            Ok(())
        };

        running.until(waiting).await.unwrap();
        running.signal(Signal::INT).unwrap();

        assert_eq!(
            running.finish(Duration::from_secs(10)).await.unwrap().code,
            130
        );
    }

    #[tokio::test]
    async fn a_run_that_ends_too_early_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let mut running = shell(dir.path()).start(&["-c", "exit 5"]).unwrap();

        let error = running.until(std::future::pending()).await.unwrap_err();

        assert!(
            error.to_string().contains("ended with 5 too early"),
            "{error}"
        );
    }
}
