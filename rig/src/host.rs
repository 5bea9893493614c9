//! The handle of one host: runs commands on it, whatever kind of connection leads there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::attached::{Attached, Start};
use crate::command::{BuildError, Command, Effect, in_terminal};
use crate::connection::{
    ByteStream, ConnectError, Connection, ConnectionError, Connector, Endpoint, ExitStatus,
    Interactive, Process, Terminal,
};
use crate::exchange::{Exchange, LINE, LINE_PIECE, Remote, Talked, mark};
use crate::files::Files;
use crate::limits::{SESSIONS, SharedLimits};
use crate::observer::{Observation, Observer, printable};
use crate::packages::Packages;
use crate::passage::Passage;
use crate::privilege::{DETECT, NoPrivilege, Privilege};
use crate::redact::Redactor;
use crate::remedy;
use crate::retry::Backoff;
use crate::services::Services;

/// How much standard output of a command is kept; more is an error, not memory.
const LARGEST_OUTPUT: usize = 64 << 20;
/// How often a command that only looks is sent, where the connection is lost over it.
const READS: u32 = 3;

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It was declared as a change, and this is a dry run.
    #[error("`{command}` would change the host, and this is a dry run")]
    RefusedInDryRun {
        /// The command, redacted.
        command: String,
    },
    /// It cannot be written down.
    #[error("`{command}` cannot be sent")]
    Build {
        /// The command, redacted.
        command: String,
        /// Why not.
        #[source]
        source: BuildError,
    },
    /// The host could not be connected to again.
    #[error("cannot connect to the host")]
    Connect(#[source] Arc<ConnectError>),
    /// The connection did not do its part.
    #[error("`{command}` could not be run to its end")]
    Connection {
        /// The command, redacted.
        command: String,
        /// Why not.
        #[source]
        source: ConnectionError,
    },
    /// It ended with a status other than 0, or by a signal.
    #[error("`{command}` ended with {status}")]
    Exited {
        /// The command, redacted.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of its standard error, redacted.
        stderr: String,
    },
    /// It did not end in time, and was ended.
    #[error("`{command}` did not end within {} s", limit.as_secs())]
    TimedOut {
        /// The command, redacted.
        command: String,
        /// The limit.
        limit: Duration,
    },
    /// It printed more than is kept.
    #[error("`{command}` printed more than {} MiB", LARGEST_OUTPUT >> 20)]
    TooMuchOutput {
        /// The command, redacted.
        command: String,
    },
    /// The login shell of the host did not start `/bin/sh`.
    #[error(
        "the login shell did not start /bin/sh: it ended with {status} and {}",
        remedy::said(printed)
    )]
    NoShell {
        /// How it ended.
        status: ExitStatus,
        /// What came instead, redacted.
        printed: String,
    },
    /// Somebody was asked whether it may run, and did not say yes.
    #[error("`{command}` was not confirmed")]
    NotConfirmed {
        /// The command, redacted.
        command: String,
    },
    /// It wants root, and there is no way to become it.
    #[error("`{command}` needs root")]
    Privilege {
        /// The command, redacted.
        command: String,
        /// Why not.
        #[source]
        source: NoPrivilege,
    },
}

impl CommandError {
    /// Returns command, status and standard error of a command that ended badly.
    pub fn exited(&self) -> Option<(&str, &ExitStatus, &str)> {
        match self {
            Self::Exited {
                command,
                status,
                stderr,
            } => Some((command, status, stderr)),
            _ => None,
        }
    }

    /// Returns whether the host cannot be reached any more.
    pub fn is_connection_lost(&self) -> bool {
        match self {
            Self::Connect(_) => true,
            Self::Connection { source, .. } => source.is_lost(),
            _ => false,
        }
    }

    /// Returns one step that the user can take.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Connect(error) => error.hint(),
            Self::Privilege { source, .. } => Some(source.hint()),
            Self::NoShell { printed, .. } => Some(remedy::of_shell(printed).to_owned()),
            Self::Connection { source, .. } => source.hint(),
            Self::Exited { stderr, .. } => remedy::of_stderr(stderr).map(str::to_owned),
            _ => None,
        }
    }
}

/// What a command printed, and how it ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// The end of standard error, redacted.
    pub stderr: String,
    /// How it ended.
    pub status: ExitStatus,
    /// What the login shell printed before the command began, cut and redacted: a greeting.
    pub greeting: String,
}

/// How a command ended whose output was handed on.
#[derive(Debug, Clone)]
pub struct Streamed {
    /// How it ended.
    pub status: ExitStatus,
    /// The end of standard error, redacted.
    pub stderr: String,
}

impl Output {
    /// Returns standard output as text; what is not UTF-8 is replaced.
    pub fn stdout_text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.stdout)
    }
}

/// Says whether a command may run.
#[async_trait]
pub trait Confirm: Send + Sync {
    /// Asks about a command, redacted, on a host.
    async fn may_run(&self, host: &str, command: &str) -> bool;
}

/// How a host is to be treated.
#[derive(Clone)]
pub struct HostOptions {
    /// Name of the host, unique in the run.
    pub name: String,
    /// Take `sudo -n` without trying whether it works (`sudooverride`).
    pub sudo_override: bool,
    /// Run the user's docker commands through sudo (`sudodocker`).
    pub sudo_docker: bool,
    /// Refuse every command that changes something.
    pub dry_run: bool,
    /// Asked before each command, where somebody wants to be (`--confirm`).
    pub confirm: Option<Arc<dyn Confirm>>,
    /// Told of everything that happens.
    pub observer: Arc<dyn Observer>,
    /// Knows the secrets of the run.
    pub redactor: Redactor,
    /// Bounds that all hosts share.
    pub limits: SharedLimits,
    /// How connecting is tried again.
    pub backoff: Backoff,
}

/// The handle of one host; cheap to clone.
#[derive(Clone)]
pub struct Host {
    inner: Arc<Inner>,
}

struct Inner {
    connector: Arc<dyn Connector>,
    endpoint: Endpoint,
    options: HostOptions,
    connection: Mutex<Option<Arc<dyn Connection>>>,
    sessions: Arc<Semaphore>,
    /// How commands become root; nothing where nobody has tried.
    privilege: StdMutex<Option<Result<Privilege, NoPrivilege>>>,
    next_command: AtomicU64,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Host")
            .field(&self.inner.options.name)
            .finish()
    }
}

impl Host {
    /// Makes the handle of a host; it is connected to when it is first needed.
    pub fn new(connector: Arc<dyn Connector>, endpoint: Endpoint, options: HostOptions) -> Self {
        let privilege = options.sudo_override.then_some(Ok(Privilege::Sudo));
        Self {
            inner: Arc::new(Inner {
                connector,
                endpoint,
                options,
                connection: Mutex::new(None),
                sessions: Arc::new(Semaphore::new(SESSIONS)),
                privilege: StdMutex::new(privilege),
                next_command: AtomicU64::new(1),
            }),
        }
    }

    /// Returns the name of the host.
    pub fn name(&self) -> &str {
        &self.inner.options.name
    }

    /// Takes note of a secret that must not be shown.
    pub fn redact(&self, secret: &SecretString) {
        self.inner.options.redactor.add(secret);
    }

    /// Connects, if the host is not connected to.
    ///
    /// # Errors
    ///
    /// Fails with the last error, once it will not pass or the deadline is over.
    pub async fn connect(&self) -> Result<(), Arc<ConnectError>> {
        self.connection().await.map(drop)
    }

    pub(crate) async fn connection(&self) -> Result<Arc<dyn Connection>, Arc<ConnectError>> {
        let mut slot = self.inner.connection.lock().await;
        if let Some(connection) = slot.as_ref().filter(|connection| connection.is_open()) {
            return Ok(Arc::clone(connection));
        }
        let started = Instant::now();
        let options = &self.inner.options;
        let connection = options
            .backoff
            .retry(
                || self.inner.connector.connect(&self.inner.endpoint),
                ConnectError::is_transient,
                |attempt, delay, error| {
                    options.observer.observe(Observation::Retrying {
                        what: "connect",
                        attempt,
                        delay,
                        error: error.to_string(),
                    });
                },
            )
            .await
            .map_err(Arc::new)?;
        options.observer.observe(Observation::Connected {
            duration: started.elapsed(),
        });
        *slot = Some(Arc::clone(&connection));
        Ok(connection)
    }

    /// Returns how its connection came to be; nothing is known where there is none.
    pub async fn passage(&self) -> Passage {
        let slot = self.inner.connection.lock().await;
        slot.as_ref()
            .map(|connection| connection.passage())
            .unwrap_or_default()
    }

    /// Takes over how commands become root, where a script has found it out already.
    pub fn adopt_privilege(&self, found: Result<Privilege, NoPrivilege>) {
        *self.known_privilege() = Some(found);
    }

    fn known_privilege(&self) -> std::sync::MutexGuard<'_, Option<Result<Privilege, NoPrivilege>>> {
        let known = self.inner.privilege.lock();
        known.unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds out how commands become root, by really trying; asked once.
    ///
    /// # Errors
    ///
    /// Fails where there is no way, or the host does not answer.
    pub async fn privilege(&self) -> Result<Privilege, CommandError> {
        let known = self.known_privilege().clone();
        let found = match known {
            Some(found) => found,
            None => {
                let command = Command::script(DETECT, Effect::Read)
                    .title("find out how to become root")
                    .timeout(Duration::from_secs(30));
                let output = Box::pin(self.run(command)).await?;
                let found = Privilege::detected(&output.stdout_text());
                self.adopt_privilege(found.clone());
                found
            }
        };
        found.map_err(|source| CommandError::Privilege {
            command: "id -u".to_owned(),
            source,
        })
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    ///
    /// Fails where it ends with a status other than 0, and wherever [`Host::run_unchecked`] does.
    pub async fn run(&self, command: Command) -> Result<Output, CommandError> {
        let shown = self.shown(&command);
        let output = self.run_unchecked(command).await?;
        if output.status.success() {
            return Ok(output);
        }
        Err(CommandError::Exited {
            command: shown,
            status: output.status,
            stderr: output.stderr,
        })
    }

    /// Runs a command to its end; any exit status is as good as another.
    ///
    /// # Errors
    ///
    /// Fails where the command cannot be sent, does not end in time, or ends unseen.
    pub async fn run_unchecked(&self, command: Command) -> Result<Output, CommandError> {
        if command.effect() != Effect::Read {
            return self.run_once(command).await;
        }
        let mut attempt = 1;
        loop {
            let asked = self.run_once(command.clone()).await;
            // Looking once more does no harm; connecting has a patience of its own.
            let again = attempt < READS
                && asked.as_ref().is_err_and(|error| {
                    matches!(error, CommandError::Connection { source, .. } if source.is_lost())
                });
            match asked {
                Err(error) if again => {
                    self.inner.options.observer.observe(Observation::Retrying {
                        what: "look again",
                        attempt,
                        delay: Duration::ZERO,
                        error: error.to_string(),
                    });
                    attempt += 1;
                }
                asked => return asked,
            }
        }
    }

    async fn run_once(&self, command: Command) -> Result<Output, CommandError> {
        let mut stdout = Vec::new();
        let mut too_much = false;
        let mut take = |bytes: &[u8]| {
            too_much |= stdout.len() + bytes.len() > LARGEST_OUTPUT;
            if !too_much {
                stdout.extend_from_slice(bytes);
            }
        };
        let shown = self.shown(&command);
        let talked = self.carry_out(command, &mut take).await?;
        if too_much {
            return Err(CommandError::TooMuchOutput { command: shown });
        }
        Ok(Output {
            stdout,
            stderr: talked.stderr,
            status: talked.status,
            greeting: talked.greeting,
        })
    }

    /// Runs a command and hands on every line that it prints on standard output, however many.
    ///
    /// Returns how it ended, and the end of its standard error. A line longer than 1 MiB comes in
    /// several pieces.
    ///
    /// # Errors
    ///
    /// Fails where the command cannot be sent, does not end in time, or ends unseen.
    pub async fn stream(
        &self,
        command: Command,
        sink: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Streamed, CommandError> {
        let mut rest: Vec<u8> = Vec::new();
        let redactor = self.inner.options.redactor.clone();
        let hand_on = |line: &[u8], sink: &mut (dyn FnMut(&str) + Send)| {
            let text = String::from_utf8_lossy(line);
            sink(&printable(&redactor.apply(&text)));
        };
        let mut take = |bytes: &[u8]| {
            for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
                rest.extend_from_slice(piece);
                if piece.ends_with(b"\n") || rest.len() >= LINE_PIECE {
                    let line = rest.strip_suffix(b"\n").unwrap_or(&rest);
                    hand_on(line, sink);
                    rest.clear();
                }
            }
        };
        let result = self.carry_out(command, &mut take).await;
        if !rest.is_empty() {
            hand_on(&rest, sink);
        }
        result.map(|talked| Streamed {
            status: talked.status,
            stderr: talked.stderr,
        })
    }

    /// Starts a command and hands over its streams; `with_input` leaves its input open. What it
    /// prints is neither kept nor looked at: no secret is taken out, and none of it is observed.
    ///
    /// # Errors
    ///
    /// Fails where the command cannot be started.
    pub async fn attach(
        &self,
        command: Command,
        with_input: bool,
    ) -> Result<Attached, CommandError> {
        let Ready { shown, privilege } = self.ready(&command).await?;
        let mark = mark(&command);
        let built = if with_input {
            command.program_before_input(&mark, privilege)
        } else {
            let program = command.program(&mark, privilege);
            program.map(|program| (LINE.to_owned(), program))
        };
        let (line, program) = built.map_err(|source| CommandError::Build {
            command: shown.clone(),
            source,
        })?;
        let session = self.session().await;
        let (process, connection) = self.open_process(&shown, &line).await?;
        let start = Start {
            process,
            connection,
            program,
            mark,
            privilege,
            shown,
            redactor: self.inner.options.redactor.clone(),
            session,
            has_input: with_input,
        };
        start.begin().await
    }

    /// Starts a command of the user, or the login shell, in a terminal; as root where `elevated`.
    ///
    /// # Errors
    ///
    /// Fails where no terminal can be had, and wherever [`Host::attach`] does.
    pub async fn interact(
        &self,
        command: Option<&str>,
        elevated: bool,
        terminal: &Terminal,
    ) -> Result<Interactive, CommandError> {
        let text = command.unwrap_or("login shell");
        let command_of_user = Command::raw(text, Effect::Change);
        let asked = if elevated {
            command_of_user.elevated()
        } else {
            command_of_user
        };
        let Ready { shown, privilege } = self.ready(&asked).await?;
        let line = in_terminal(command, privilege);
        let connection = self.connection().await.map_err(CommandError::Connect)?;
        let started = connection.interact(line.as_deref(), terminal).await;
        started.map_err(|source| CommandError::Connection {
            command: shown,
            source,
        })
    }

    /// Opens a stream to an address as the host itself would.
    ///
    /// # Errors
    ///
    /// Fails where the host cannot be reached, or cannot reach the address.
    pub async fn dial(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Box<dyn ByteStream>, ConnectionError> {
        let connection = self
            .connection()
            .await
            .map_err(|error| ConnectionError::Lost {
                reason: error.to_string(),
            })?;
        connection.dial(host, port).await
    }

    /// Returns the files of the host.
    pub fn files(&self) -> Files<'_> {
        Files::new(self)
    }

    /// Returns the services of the host.
    pub fn services(&self) -> Services<'_> {
        Services::new(self)
    }

    /// Returns the packages of the host.
    pub fn packages(&self) -> Packages<'_> {
        Packages::new(self)
    }

    /// Closes the connection.
    pub async fn close(&self) {
        if let Some(connection) = self.inner.connection.lock().await.take() {
            connection.close().await;
        }
    }

    pub(crate) fn shared_limits(&self) -> &SharedLimits {
        &self.inner.options.limits
    }

    /// Asks whether a command may run, where somebody wants to be asked.
    pub(crate) async fn confirm(&self, shown: &str) -> Result<(), CommandError> {
        match &self.inner.options.confirm {
            Some(confirm) if !confirm.may_run(self.name(), shown).await => {
                Err(CommandError::NotConfirmed {
                    command: shown.to_owned(),
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    pub(crate) async fn open_process(
        &self,
        shown: &str,
        line: &str,
    ) -> Result<(Process, Arc<dyn Connection>), CommandError> {
        let lost = |source| CommandError::Connection {
            command: shown.to_owned(),
            source,
        };
        // A server may allow fewer sessions than a stock one: then the others have to end first.
        let backoff = Backoff {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(2),
            deadline: Duration::from_secs(120),
        };
        backoff
            .retry(
                || async {
                    let connection = self.connection().await.map_err(CommandError::Connect)?;
                    let process = connection.exec(line).await.map_err(lost)?;
                    Ok((process, connection))
                },
                |error| {
                    matches!(
                        error,
                        CommandError::Connection {
                            source: ConnectionError::ChannelRefused { .. },
                            ..
                        }
                    )
                },
                |_, _, _| {},
            )
            .await
    }

    fn shown(&self, command: &Command) -> String {
        self.inner
            .options
            .redactor
            .apply(&command.to_string())
            .into_owned()
    }

    /// Finds out whether a command may run, and how it becomes root.
    async fn ready(&self, command: &Command) -> Result<Ready, CommandError> {
        let shown = self.shown(command);
        if self.inner.options.dry_run && command.effect() == Effect::Change {
            return Err(CommandError::RefusedInDryRun { command: shown });
        }
        for secret in command.secrets() {
            self.redact(secret);
        }
        let privilege = if command.wants_root(self.inner.options.sudo_docker) {
            Some(self.privilege().await?)
        } else {
            None
        };
        if command.is_asked_about() {
            self.confirm(&shown).await?;
        }
        Ok(Ready { shown, privilege })
    }

    async fn session(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        Arc::clone(&self.inner.sessions).acquire_owned().await.ok()
    }

    async fn carry_out(
        &self,
        command: Command,
        take: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Talked, CommandError> {
        let Ready { shown, privilege } = self.ready(&command).await?;
        let mark = mark(&command);
        let program = command
            .program(&mark, privilege)
            .map_err(|source| CommandError::Build {
                command: shown.clone(),
                source,
            })?;
        let _session = self.session().await;
        let id = self.inner.next_command.fetch_add(1, Ordering::Relaxed);
        let observer = &self.inner.options.observer;
        observer.observe(Observation::CommandStarted {
            id,
            command: shown.clone(),
            reads_only: command.effect() == Effect::Read,
        });
        let started = Instant::now();
        let (process, connection) = self.open_process(&shown, LINE).await?;
        let mut exchange = Exchange {
            options: &self.inner.options,
            id,
            shown: &shown,
            mark: &mark,
            remote: Remote::new(connection, privilege),
            show_output: command.shows_output(),
        };
        let talk = exchange.talk(process, program, take);
        let result = match command.limit() {
            None => talk.await,
            Some(limit) => match tokio::time::timeout(limit, talk).await {
                Ok(result) => result,
                Err(_elapsed) => {
                    exchange.remote.end().await;
                    Err(CommandError::TimedOut {
                        command: shown.clone(),
                        limit,
                    })
                }
            },
        };
        exchange.remote.forget();
        let status = match &result {
            Ok(talked) => talked.status.to_string(),
            Err(error) => error.to_string(),
        };
        observer.observe(Observation::CommandFinished {
            id,
            status,
            duration: started.elapsed(),
        });
        result
    }
}

/// A command that may run.
struct Ready {
    /// What is shown of it.
    shown: String,
    /// How it becomes root, where it wants to.
    privilege: Option<Privilege>,
}
