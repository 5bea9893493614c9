//! One command on a host, whichever connection it came over.

use std::time::Duration;

use rig::connection::ExitStatus;

use super::Cut;
use crate::environment::Environment;
use crate::fault::Verdict;
use crate::host::LoginShell;
use crate::pipe::{Reader, Writer};
use crate::process::Ended;
use crate::world::{Fleet, HostId};

/// How long a command that is to fail waits for the program that it was sent.
const MARK_LIMIT: Duration = Duration::from_secs(5);

/// What somebody who has logged in asks for.
#[derive(Debug, Clone)]
pub(crate) enum Asked {
    /// That a command line is run.
    Command(String),
    /// His login shell.
    Shell,
}

/// The streams of a command.
pub(crate) struct Streams {
    /// Standard input.
    pub(crate) stdin: Reader,
    /// Standard output.
    pub(crate) stdout: Writer,
    /// Standard error.
    pub(crate) stderr: Writer,
}

/// One command on its way.
pub(crate) struct Session {
    /// The fleet.
    pub(crate) fleet: Fleet,
    /// The host.
    pub(crate) host: HostId,
    /// Which command of that host, from 1.
    pub(crate) number: u64,
    /// What becomes of it.
    pub(crate) verdict: Option<Verdict>,
    /// Who has logged in.
    pub(crate) user: String,
    /// The variables that the connection brings.
    pub(crate) environment: Environment,
    /// What is asked for.
    pub(crate) asked: Asked,
    /// What breaks the connection.
    pub(crate) cut: Cut,
}

impl Session {
    /// Runs it; returns how it ended, none where nobody will know.
    pub(crate) async fn run(self, streams: Streams) -> Option<ExitStatus> {
        let Streams {
            stdin,
            stdout,
            stderr,
        } = streams;
        self.fleet.command_started(self.host, self.number);
        let before = self.fleet.before_audit(self.host);
        let ended = match &self.verdict {
            Some(Verdict::Fail { status, said }) => {
                // The program is read for its mark, so that the failure is the command's own.
                // Who sends none may keep the stream open.
                let program = tokio::time::timeout(MARK_LIMIT, stdin.read_to_end()).await;
                let program = program.ok().and_then(Result::ok).unwrap_or_default();
                let mark = mark_of(&program).unwrap_or_default();
                let opening = if mark.is_empty() {
                    String::new()
                } else {
                    format!("{mark} 1\n")
                };
                // Nobody may be listening any more.
                let _ = stdout.write(opening.as_bytes()).await;
                let _ = stderr.write(format!("{mark}\n{said}\n").as_bytes()).await;
                Ended::Code(*status)
            }
            Some(Verdict::Hang) => {
                self.cut.happens().await;
                return None;
            }
            _ => self.login(stdin, stdout.clone(), stderr.clone()).await,
        };
        let status = match ended {
            Ended::Code(code) => ExitStatus::Code(u32::from(code)),
            Ended::Signal(signal) => ExitStatus::Signal(signal.name().to_owned()),
        };
        self.fleet
            .command_ended(self.host, self.number, status.code());
        self.fleet.after_audit(self.host, self.number, before);
        if self.verdict == Some(Verdict::LoseAfter) {
            self.cut.cut();
            return None;
        }
        drop((stdout, stderr));
        Some(status)
    }

    async fn login(&self, stdin: Reader, stdout: Writer, stderr: Writer) -> Ended {
        let (files, first) = self
            .fleet
            .host(self.host, |host| (host.files.clone(), host.login_shell));
        match first {
            LoginShell::Plain => {}
            LoginShell::Greets => {
                // Nobody may be listening any more.
                let _ = stdout
                    .write(b"Welcome! This is a login shell that greets.\n")
                    .await;
                let _ = stderr
                    .write(b"stty: standard input: not a terminal\n")
                    .await;
            }
            LoginShell::Ends => return Ended::Code(1),
        }
        let Some(credentials) = crate::accounts::credentials(&files, &self.user) else {
            return Ended::Code(1);
        };
        if matches!(self.asked, Asked::Shell) && stdout.as_terminal().is_some() {
            for path in ["/run/motd.dynamic", "/etc/motd"] {
                let text = files.text(path).unwrap_or_default();
                // Nobody may be listening any more.
                let _ = stdout.write(text.as_bytes()).await;
            }
        }
        let login = crate::shell::Login {
            session: session_of(self.host, self.number),
            credentials,
            environment: self.environment.clone(),
            asked: self.asked.clone(),
            stdin,
            stdout,
            stderr,
        };
        crate::shell::run_login(&self.fleet, self.host, login).await
    }
}

/// Returns the session of a command: what its processes are known by.
pub(crate) fn session_of(host: HostId, number: u64) -> u64 {
    ((host.0 as u64 + 1) << 32) | number
}

/// Returns the mark of a program: the word that it prints first.
pub(super) fn mark_of(program: &[u8]) -> Option<&str> {
    let start = std::str::from_utf8(program.get(..program.len().min(200))?).ok()?;
    let at = start.find("launchpad-")?;
    let rest = &start[at..];
    let end = rest.find(|one: char| !one.is_ascii_alphanumeric() && one != '-')?;
    Some(&rest[..end])
}
