//! The real world: environment, streams, signals, terminal, connections.

mod ssh;
mod terminal;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use cli::World;
use cli::world::Stream;
use jiff::Timestamp;
use nix::unistd::{Uid, User};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use secrecy::SecretString;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub(crate) use self::ssh::answer_ssh;
use self::ssh::{SSH_PASSWORD, SshSetup};
pub(crate) use self::terminal::Terminal;
use self::terminal::terminal_size;

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
    let account = User::from_uid(Uid::current()).ok().flatten();
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .or_else(|| account.as_ref().map(|account| account.dir.clone()))
        .filter(|home| home.is_absolute());
    let user = user_name(account);
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
        terminal: Arc::new(terminal.clone()),
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

/// Returns the name of whoever runs this, as `ssh` finds it: services and containers have no `USER`.
fn user_name(account: Option<User>) -> String {
    let names = ["USER", "LOGNAME"];
    let in_environment = || names.into_iter().find_map(|name| std::env::var(name).ok());
    account
        .map(|account| account.name)
        .or_else(in_environment)
        .unwrap_or_else(|| format!("uid {}", Uid::current()))
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
