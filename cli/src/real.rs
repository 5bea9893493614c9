//! The real world: environment, streams, signals, terminal, connections.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use cli::World;
use cli::world::{Ask, Connections, Stream};
use jiff::Timestamp;
use report::terminal::Size;
use rig::connection::Unprepared;
use rig::observer::printable;
use rig::protocol::Dispatch;
use rig::protocol::openssh::{
    self, ASKPASS_VARIABLE, Answering, AskPrompt, OpenSshConnector, OpenSshOptions,
};
use rig::protocol::ssh::{AskPassphrase, OnePassword, SshConnector, SshOptions};
use rig::{Connector, Endpoint};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How many files may be open at the same time, where that is allowed: one connection takes one.
const OPEN_FILES: u64 = 65_536;

/// Tells on stderr why the program cannot begin.
pub(crate) fn give_up(what: &str, error: &io::Error) -> ExitCode {
    // There is nobody left to tell where stderr cannot be written to.
    let _ = writeln!(io::stderr(), "error: {what}: {error}");
    ExitCode::FAILURE
}

/// Returns the real world.
pub(crate) fn world(terminal: &Terminal) -> io::Result<World> {
    let open_files = raise_open_files();
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .filter(|home| home.is_absolute());
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    let user = user.unwrap_or_else(|_| format!("uid {}", rustix::process::getuid().as_raw()));
    let machine = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let ssh = SshSetup {
        home: home.clone().unwrap_or_else(|| PathBuf::from("/")),
        agent: std::env::var_os("SSH_AUTH_SOCK")
            .map(PathBuf::from)
            .filter(|path| !path.as_os_str().is_empty()),
        known_hosts: std::env::var_os("SSH_KNOWN_HOSTS").map(PathBuf::from),
        user: user.clone(),
        machine: machine.clone(),
        password: environment
            .get(SSH_PASSWORD)
            .filter(|password| !password.is_empty())
            .map(|password| SecretString::from(password.as_str())),
        environment: environment
            .iter()
            .filter(|(name, _)| name.as_str() != SSH_PASSWORD)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        open_ssh_environment: std::env::vars_os()
            .filter(|(name, _)| name != SSH_PASSWORD)
            .collect(),
        has_terminal: Terminal::open().is_some(),
    };
    Ok(World {
        environment,
        home,
        current_dir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
        stdin: Box::new(io::stdin()),
        stdout: Stream::new(io::stdout(), io::stdout().is_terminal()),
        stderr: Stream::new(io::stderr(), io::stderr().is_terminal()),
        terminal_size: Arc::new(terminal_size),
        ask: Arc::new(terminal.clone()),
        signals: signals()?,
        now: Arc::new(Timestamp::now),
        run_id: Box::new(|| format!("{:08x}", rand::random::<u32>())),
        open_files,
        owner: format!("{user}@{machine}"),
        connections: Arc::new(ssh),
        is_rehearsal: false,
        listeners: Vec::new(),
    })
}

/// Raises the limit of open files as far as it may be; returns what it is then.
fn raise_open_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit
        .maximum
        .map_or(OPEN_FILES, |maximum| maximum.min(OPEN_FILES));
    if limit.current.is_some_and(|current| current < wanted) {
        // Refused at worst: then it stays as it is.
        let _ = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: Some(wanted),
                maximum: limit.maximum,
            },
        );
    }
    // Without a limit there are as many as anybody can want.
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

fn terminal_size() -> Size {
    match rustix::termios::tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size {
            columns: usize::from(size.ws_col),
            rows: usize::from(size.ws_row),
        },
        _ => Size::default(),
    }
}

fn signals() -> io::Result<UnboundedReceiver<i32>> {
    let (sender, receiver) = unbounded_channel();
    for kind in [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ] {
        tokio::spawn(pass_on(kind, signal(kind)?, sender.clone()));
    }
    Ok(receiver)
}

async fn pass_on(
    kind: SignalKind,
    mut signals: tokio::signal::unix::Signal,
    sender: UnboundedSender<i32>,
) {
    while signals.recv().await.is_some() {
        if sender.send(kind.as_raw_value()).is_err() {
            return;
        }
    }
}

/// The terminal that the user sits at, whatever the streams are connected to.
#[derive(Clone, Default)]
pub(crate) struct Terminal {
    /// The settings to go back to, while a secret is typed.
    silenced: Arc<Mutex<Option<Termios>>>,
}

impl Terminal {
    /// Shows again what is typed, where a question for a secret was left open.
    pub(crate) fn restore(&self) {
        let before = self.settings().take();
        if let (Some(before), Some(terminal)) = (before, Self::open()) {
            // Nobody is left to tell, and nothing else to try.
            let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
        }
    }

    fn settings(&self) -> MutexGuard<'_, Option<Termios>> {
        self.silenced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open() -> Option<std::fs::File> {
        std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/tty")
            .ok()
    }

    fn read_line(terminal: &std::fs::File) -> io::Result<Option<String>> {
        let mut line = String::new();
        let read = io::BufReader::new(terminal).read_line(&mut line)?;
        Ok((read > 0).then(|| line.trim_end_matches(['\n', '\r']).to_owned()))
    }
}

impl Ask for Terminal {
    fn secret(&self, question: &str) -> io::Result<Option<SecretString>> {
        let Some(mut terminal) = Self::open() else {
            return Ok(None);
        };
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        terminal.write_all(question.as_bytes())?;
        *self.settings() = Some(before);
        tcsetattr(&terminal, OptionalActions::Now, &silent)?;
        let line = Self::read_line(&terminal);
        self.restore();
        terminal.write_all(b"\n")?;
        Ok(line?.map(SecretString::from))
    }

    fn line(&self, question: &str) -> io::Result<Option<String>> {
        if !io::stdin().is_terminal() {
            return Ok(None);
        }
        let Some(mut terminal) = Self::open() else {
            return Ok(None);
        };
        terminal.write_all(question.as_bytes())?;
        Self::read_line(&terminal)
    }
}

/// What SSH connections of this user are made with.
struct SshSetup {
    home: PathBuf,
    agent: Option<PathBuf>,
    known_hosts: Option<PathBuf>,
    user: String,
    machine: String,
    /// The password of all hosts, where the user gives one.
    password: Option<SecretString>,
    environment: BTreeMap<String, String>,
    /// What the system's `ssh` gets for an environment.
    open_ssh_environment: Vec<(OsString, OsString)>,
    /// Whether somebody can be asked.
    has_terminal: bool,
}

impl SshSetup {
    /// Returns what the system's `ssh` is used with. It asks through this program.
    fn open_ssh(&self, ask: Arc<dyn Ask>) -> OpenSshOptions {
        let mut options = OpenSshOptions::of_environment(self.open_ssh_environment.clone());
        options.asking = std::env::current_exe()
            .ok()
            .filter(|_| self.has_terminal)
            .map(|program| Answering {
                program,
                ask: Arc::new(Prompts(ask)),
            });
        options
    }
}

/// Answers `ssh`, where it has started this program to ask something; nothing where it has not.
pub(crate) fn answer_ssh() -> Option<ExitCode> {
    let socket = std::env::var_os(ASKPASS_VARIABLE)?;
    let question = std::env::args_os().nth(1).unwrap_or_default();
    let question = question.to_string_lossy();
    let answered = openssh::answer(Path::new(&socket), &question, &mut io::stdout());
    // `ssh` goes on without an answer; whoever waits for it tells what that led to.
    Some(ExitCode::from(u8::from(answered.is_err())))
}

/// Asks for a secret; the terminal blocks, for as long as somebody thinks.
async fn secret(ask: &Arc<dyn Ask>, question: String) -> Option<SecretString> {
    let ask = Arc::clone(ask);
    let asked = tokio::task::spawn_blocking(move || ask.secret(&question)).await;
    asked.ok()?.ok()?
}

struct Prompts(Arc<dyn Ask>);

#[async_trait]
impl AskPrompt for Prompts {
    async fn ask(&self, question: &str) -> Option<SecretString> {
        // A server may have worded it.
        secret(&self.0, format!("ssh: {}", printable(question))).await
    }
}

/// The variable that allows passwords, and holds the one to use.
const SSH_PASSWORD: &str = "LAUNCHPAD_SSH_PASSWORD";

struct Passphrases(Arc<dyn Ask>);

#[async_trait]
impl AskPassphrase for Passphrases {
    async fn ask(&self, key: &Path, again: bool) -> Option<SecretString> {
        let wrong = if again { "That was not it. " } else { "" };
        let question = format!("{wrong}Passphrase of the key {}: ", key.display());
        secret(&self.0, question).await
    }
}

#[async_trait]
impl Connections for SshSetup {
    async fn open(
        &self,
        endpoints: &[Endpoint],
        ask: Arc<dyn Ask>,
    ) -> (Arc<dyn Connector>, Vec<Unprepared>) {
        let mut options = SshOptions::for_home(&self.home, Arc::new(std::time::SystemTime::now));
        options.agent.clone_from(&self.agent);
        options.local_user.clone_from(&self.user);
        options.local_uid = rustix::process::getuid().as_raw();
        options.local_host.clone_from(&self.machine);
        options.environment.clone_from(&self.environment);
        if let Some(password) = &self.password {
            options.passwords = Some(Arc::new(OnePassword(password.clone())));
        }
        options.passphrases = Arc::new(Passphrases(Arc::clone(&ask)));
        if let Some(path) = self
            .known_hosts
            .clone()
            .filter(|path| !path.as_os_str().is_empty())
        {
            options.user_known_hosts = vec![path];
        }
        let ssh = SshConnector::new(options);
        let open_ssh = OpenSshConnector::new(self.open_ssh(ask));
        let (mut of_ssh, mut of_open_ssh) = (Vec::new(), Vec::new());
        for (index, endpoint) in endpoints.iter().enumerate() {
            match endpoint {
                Endpoint::Ssh(ssh) => of_ssh.push((index, ssh.clone())),
                Endpoint::OpenSsh(ssh) => of_open_ssh.push((index, ssh.clone())),
                Endpoint::Local | Endpoint::WinRm { .. } => {}
            }
        }
        let (places, hosts): (Vec<usize>, Vec<_>) = of_ssh.into_iter().unzip();
        let mut unprepared = at(&places, ssh.prepare(&hosts).await);
        if unprepared.is_empty() {
            let (places, hosts): (Vec<usize>, Vec<_>) = of_open_ssh.into_iter().unzip();
            unprepared = at(&places, open_ssh.prepare(&hosts).await);
        }
        (Arc::new(Dispatch::new(ssh, open_ssh)), unprepared)
    }
}

/// Names hosts by their places among all.
fn at(places: &[usize], unprepared: Vec<Unprepared>) -> Vec<Unprepared> {
    let placed = unprepared.into_iter().map(|one| Unprepared {
        index: places.get(one.index).copied().unwrap_or(one.index),
        ..one
    });
    placed.collect()
}
