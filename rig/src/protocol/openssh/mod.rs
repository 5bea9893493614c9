//! SSH, spoken by the system's own `ssh`.
//!
//! What leads to a host is the user's own: ssh_config in full, smart cards, hardware keys, proxies.
//! For each host one `ssh` keeps a connection open as a control master, with a socket in a private
//! directory; commands and streams are asked for over that socket, without a process for each.
//! Nothing is asked while hosts are worked on: [`OpenSshConnector::prepare`] asks before.
//!
//! | module | holds |
//! |---|---|
//! | `arguments` | what `ssh` is started with, and what `ssh -G` says |
//! | `master` | one `ssh` that keeps a connection open |
//! | `mux` | what is said to it |
//! | `connection` | processes and streams |
//! | `pty` | a terminal that is handed to it |
//! | `classify` | what `ssh` says, as errors |
//! | `directory` | where the sockets are, and who tidies up when we cannot |
//! | `askpass` | questions of `ssh`, on their way to whoever answers |

mod arguments;
mod askpass;
mod classify;
mod connection;
mod directory;
mod master;
mod mux;
mod pty;

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;

pub use self::askpass::{AskPrompt, VARIABLE as ASKPASS_VARIABLE, answer};

use self::arguments::{Asking, Settings};
use self::askpass::Questions;
use self::classify::Words;
use self::connection::OpenSshConnection;
use self::directory::Directory;
use self::master::{Master, NoMaster, Start};
use super::beside;
use super::handshakes::Handshakes;
use crate::connection::{
    ConnectError, Connection, Connector, Endpoint, OpenSshEndpoint, Unprepared,
};

/// How long `ssh -G` may take; `Match exec` runs a program of the user.
const ASKING: Duration = Duration::from_secs(30);
/// How long the handshake and the login may take after the host was reached.
const LOGGING_IN: Duration = Duration::from_secs(60);
/// How long a person may think.
const THINKING: Duration = Duration::from_secs(600);
/// How many hosts are tried at the same time before a run.
const PREPARED_AT_ONCE: usize = 64;

/// What connections by the system's `ssh` are made with.
#[derive(Clone)]
pub struct OpenSshOptions {
    /// The directories that `ssh` is looked for in (`PATH`).
    pub search_path: OsString,
    /// The environment of `ssh`: its agent, its home, its display.
    pub environment: Vec<(OsString, OsString)>,
    /// Where the directory of the sockets may be made, best first.
    pub places: Vec<PathBuf>,
    /// How many hosts may be connected to at the same time.
    pub handshakes: usize,
    /// How many connections to one server may be without login at the same time.
    pub handshakes_per_server: usize,
    /// How long the handshake and the login may take after the host was reached.
    pub login: Duration,
    /// Who answers what `ssh` asks, and the program that carries the question.
    pub asking: Option<Answering>,
}

/// Who answers what `ssh` asks before a run.
#[derive(Clone)]
pub struct Answering {
    /// The program that `ssh` starts for a question; it has to call [`answer`].
    pub program: PathBuf,
    /// Who answers.
    pub ask: Arc<dyn AskPrompt>,
}

impl OpenSshOptions {
    /// Returns what an environment says; with nobody to ask.
    pub fn of_environment(environment: Vec<(OsString, OsString)>) -> Self {
        let value = |name: &str| {
            let found = environment.iter().find(|(key, _)| key == name);
            let found = found.map(|(_, value)| value.clone());
            found.filter(|value| !value.is_empty())
        };
        let mut places: Vec<PathBuf> = ["XDG_RUNTIME_DIR", "TMPDIR"]
            .into_iter()
            .filter_map(|name| value(name).map(PathBuf::from))
            .filter(|path| path.is_absolute())
            .collect();
        places.push(PathBuf::from("/tmp"));
        Self {
            search_path: value("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin")),
            environment,
            places,
            handshakes: 64,
            handshakes_per_server: 5,
            login: LOGGING_IN,
            asking: None,
        }
    }
}

/// Connects to hosts by the system's `ssh`; cheap to clone.
#[derive(Clone)]
pub struct OpenSshConnector {
    inner: Arc<Inner>,
}

/// What all connections of a run have in common.
struct Inner {
    options: OpenSshOptions,
    directory: Mutex<Option<Arc<Directory>>>,
    reaches: Mutex<HashMap<OpenSshKey, Arc<Reach>>>,
    /// Masters that were opened before the run, and that nobody has taken yet.
    prepared: Mutex<HashMap<OpenSshKey, Vec<Arc<Master>>>>,
    handshakes: Handshakes,
}

/// What tells two hosts apart: everything that `ssh` is told of them.
type OpenSshKey = Vec<OsString>;

/// How a host is reached, as `ssh -G` says.
#[derive(Debug)]
struct Reach {
    program: PathBuf,
    settings: Settings,
}

impl OpenSshConnector {
    /// Makes a connector; nothing is started yet.
    pub fn new(options: OpenSshOptions) -> Self {
        Self {
            inner: Arc::new(Inner {
                directory: Mutex::default(),
                reaches: Mutex::default(),
                prepared: Mutex::default(),
                handshakes: Handshakes::new(options.handshakes, options.handshakes_per_server),
                options,
            }),
        }
    }

    /// Opens the connections of all hosts where somebody can be asked: first without a question,
    /// all at once; then, one after the other, those whose login wants an answer.
    ///
    /// Returns what is wrong with those that were asked about. What is wrong with others may pass
    /// and is told when they are connected to.
    pub async fn prepare(&self, endpoints: &[OpenSshEndpoint]) -> Vec<Unprepared> {
        let Some(answering) = &self.inner.options.asking else {
            return Vec::new();
        };
        let opening: Vec<_> = endpoints.iter().map(|it| self.inner.open(it)).collect();
        let opened = futures_util::stream::iter(opening).buffered(PREPARED_AT_ONCE);
        let opened: Vec<_> = opened.collect().await;
        let mut unprepared = Vec::new();
        for (index, (endpoint, opened)) in endpoints.iter().zip(opened).enumerate() {
            match opened {
                Ok((_, master)) => self.inner.keep(endpoint, master),
                Err(error) if wants_an_answer(&error) => {
                    match self.inner.open_asking(endpoint, answering).await {
                        Ok(master) => self.inner.keep(endpoint, master),
                        Err(error) => unprepared.push(Unprepared { index, error }),
                    }
                }
                Err(_) => {}
            }
        }
        unprepared
    }
}

/// Whether somebody who can be asked may open the door.
fn wants_an_answer(error: &ConnectError) -> bool {
    match error {
        ConnectError::Auth { .. } | ConnectError::Agent { .. } | ConnectError::KeyFile { .. } => {
            true
        }
        ConnectError::Bastion { source, .. } => wants_an_answer(source),
        _ => false,
    }
}

impl Inner {
    /// Opens a master without asking anybody.
    async fn open(
        &self,
        endpoint: &OpenSshEndpoint,
    ) -> Result<(Arc<Reach>, Arc<Master>), ConnectError> {
        let reach = self.reach(endpoint).await?;
        if let Some(master) = self.take_prepared(endpoint).await {
            return Ok((reach, master));
        }
        if let Some(path) = own_socket(endpoint, &reach.settings)
            && let Some(master) = Master::of_user(path).await
        {
            return Ok((reach, master));
        }
        // A question would stop everything: whoever wants to ask gets no for an answer.
        let environment = [("SSH_ASKPASS", "false"), ("SSH_ASKPASS_REQUIRE", "force")];
        let environment = environment.map(|(name, value)| (name.into(), value.into()));
        let limit = reach.settings.connect_limit() + self.options.login;
        let master = self
            .start(endpoint, &reach, Asking::Nobody, &environment, limit)
            .await?;
        Ok((reach, master))
    }

    /// Opens a master; somebody answers its questions.
    async fn open_asking(
        &self,
        endpoint: &OpenSshEndpoint,
        answering: &Answering,
    ) -> Result<Arc<Master>, ConnectError> {
        let reach = self.reach(endpoint).await?;
        let directory = self.directory()?;
        let (socket, _) = directory.next_paths();
        let questions =
            Questions::listen(&socket, Arc::clone(&answering.ask)).map_err(no_directory)?;
        let environment = [
            (
                OsString::from("SSH_ASKPASS"),
                answering.program.clone().into(),
            ),
            ("SSH_ASKPASS_REQUIRE".into(), "force".into()),
            (askpass::VARIABLE.into(), socket.into()),
        ];
        let limit = reach.settings.connect_limit() + THINKING;
        let started = self
            .start(endpoint, &reach, Asking::Somebody, &environment, limit)
            .await;
        drop(questions);
        started
    }

    async fn start(
        &self,
        endpoint: &OpenSshEndpoint,
        reach: &Reach,
        asking: Asking,
        environment: &[(OsString, OsString)],
        limit: Duration,
    ) -> Result<Arc<Master>, ConnectError> {
        let settings = &reach.settings;
        if let Some(path) = &endpoint.key_path {
            check_key(path)?;
        }
        let _leave = self.handshakes.with(&settings.door()).await;
        let directory = self.directory()?;
        let (socket, log) = directory.next_paths();
        let arguments = arguments::master(endpoint, settings, &socket, &log, asking);
        let start = Start {
            program: reach.program.clone(),
            arguments,
            environment: self.environment(environment),
            socket,
            log,
            limit,
        };
        let error = match Master::start(start, directory).await {
            Ok(master) => return Ok(master),
            Err(error) => error,
        };
        Err(match error {
            NoMaster::Program(source) => no_program(source),
            NoMaster::Ended(words) => classify::failure(&words, settings),
            NoMaster::TimedOut(words) => {
                let stage = if words
                    .log
                    .contains("debug1: SSH2_MSG_SERVICE_ACCEPT received")
                {
                    "authentication"
                } else {
                    "the SSH handshake"
                };
                classify::timed_out(settings.target(), stage, limit)
            }
        })
    }

    /// Returns the environment of an `ssh`.
    fn environment(&self, changed: &[(OsString, OsString)]) -> Vec<(OsString, OsString)> {
        let own = self.options.environment.iter();
        own.filter(|(name, _)| changed.iter().all(|(other, _)| other != name))
            .chain(changed)
            .cloned()
            .collect()
    }

    /// Finds out how a host is reached; asked once for each.
    async fn reach(&self, endpoint: &OpenSshEndpoint) -> Result<Arc<Reach>, ConnectError> {
        let question = arguments::question(endpoint);
        let known = lock(&self.reaches).get(&question).cloned();
        if let Some(reach) = known {
            return Ok(reach);
        }
        let program = find("ssh", &self.options.search_path).ok_or_else(|| {
            let path = self.options.search_path.to_string_lossy();
            no_program(io::Error::other(format!("it is in none of {path}")))
        })?;
        let mut settings = self.ask(&program, endpoint, &question).await?;
        if settings.asks_about_keys {
            settings.asks_about_keys = self.is_key_question_open(&program, endpoint).await?;
        }
        let reach = Arc::new(Reach { program, settings });
        lock(&self.reaches).insert(question, Arc::clone(&reach));
        Ok(reach)
    }

    /// Returns whether nobody says what is to be done with new host keys.
    async fn is_key_question_open(
        &self,
        program: &Path,
        endpoint: &OpenSshEndpoint,
    ) -> Result<bool, ConnectError> {
        let mut options = endpoint.options.keys();
        if options.any(|name| name.eq_ignore_ascii_case("StrictHostKeyChecking")) {
            return Ok(false);
        }
        let (path, _) = self.directory()?.next_paths();
        let text = arguments::with_default_for_keys(endpoint);
        std::fs::write(&path, text).map_err(no_directory)?;
        let question = arguments::question_with(endpoint, &path);
        let settings = self.ask(program, endpoint, &question).await;
        // What is left of it goes with its directory.
        let _ = std::fs::remove_file(&path);
        Ok(!settings?.asks_about_keys)
    }

    /// Asks `ssh -G`.
    async fn ask(
        &self,
        program: &Path,
        endpoint: &OpenSshEndpoint,
        question: &[OsString],
    ) -> Result<Settings, ConnectError> {
        // A thousand questions at once would be a thousand processes.
        let _leave = self.handshakes.anywhere().await;
        let asked = tokio::process::Command::new(program)
            .args(question)
            .env_clear()
            .envs(self.environment(&[]))
            .stdin(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(ASKING, asked)
            .await
            .map_err(|_elapsed| {
                let target = endpoint.address.clone();
                classify::timed_out(target, "reading ssh_config (`ssh -G`)", ASKING)
            })?
            .map_err(no_program)?;
        if output.status.success() {
            return Ok(Settings::parse(&String::from_utf8_lossy(&output.stdout)));
        }
        let words = Words {
            log: String::from_utf8_lossy(&output.stderr).into_owned(),
            stderr: String::new(),
        };
        let port = endpoint.port.unwrap_or(22);
        let settings = Settings::of(&endpoint.address, port, "");
        Err(classify::failure(&words, &settings))
    }

    /// Returns the directory of the sockets, which is made for the first of them.
    fn directory(&self) -> Result<Arc<Directory>, ConnectError> {
        let mut directory = lock(&self.directory);
        if let Some(directory) = directory.as_ref() {
            return Ok(Arc::clone(directory));
        }
        let made = Directory::create(&self.options.places).map_err(no_directory)?;
        tracing::debug!(path = %made.path().display(), "made a directory for sockets");
        Ok(Arc::clone(directory.insert(Arc::new(made))))
    }

    fn keep(&self, endpoint: &OpenSshEndpoint, master: Arc<Master>) {
        let mut prepared = lock(&self.prepared);
        let of_host = prepared.entry(arguments::question(endpoint));
        of_host.or_default().push(master);
    }

    /// Returns a master that was opened before, and that still answers.
    async fn take_prepared(&self, endpoint: &OpenSshEndpoint) -> Option<Arc<Master>> {
        let key = arguments::question(endpoint);
        loop {
            let master = lock(&self.prepared).get_mut(&key)?.pop()?;
            if master.is_alive().await {
                return Some(master);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the user's own control socket, where the options of the host speak of one.
fn own_socket<'a>(endpoint: &OpenSshEndpoint, settings: &'a Settings) -> Option<&'a Path> {
    let speaks = endpoint.options.keys().any(|name| {
        name.eq_ignore_ascii_case("ControlPath") || name.eq_ignore_ascii_case("ControlMaster")
    });
    let path = settings.control_path.as_deref().filter(|_| speaks)?;
    Some(Path::new(path))
}

/// `ssh` only warns of a key file that is not there, and then says that no key was accepted.
fn check_key(path: &Path) -> Result<(), ConnectError> {
    // The public half is enough where the agent holds the other one.
    if path.exists() || beside(path, ".pub").exists() {
        return Ok(());
    }
    Err(ConnectError::KeyFile {
        path: path.to_owned(),
        reason: "it is not there".to_owned(),
        hint: "check `keyPath` of this host".to_owned(),
    })
}

fn no_program(source: io::Error) -> ConnectError {
    ConnectError::Program {
        program: "ssh",
        source,
    }
}

fn no_directory(source: io::Error) -> ConnectError {
    ConnectError::SocketDirectory { source }
}

/// Looks for a program.
fn find(program: &str, search_path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(search_path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
}

#[async_trait]
impl Connector for OpenSshConnector {
    async fn connect(&self, endpoint: &Endpoint) -> Result<Arc<dyn Connection>, ConnectError> {
        let Endpoint::OpenSsh(endpoint) = endpoint else {
            return Err(ConnectError::Unsupported {
                what: "anything but the system's OpenSSH",
            });
        };
        let (reach, master) = self.inner.open(endpoint).await?;
        let connection = OpenSshConnection::new(&self.inner, endpoint, &reach, master);
        Ok(Arc::new(connection))
    }
}
