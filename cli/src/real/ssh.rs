//! Connections of this user: what SSH is set up with, and who answers its questions.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use cli::world::{Ask, Connections, Manner, Opened};
use rig::Endpoint;
use rig::connection::Unprepared;
use rig::observer::printable;
use rig::protocol::Dispatch;
use rig::protocol::openssh::{
    self, ASKPASS_VARIABLE, Answering, AskPrompt, OpenSshConnector, OpenSshOptions,
};
use rig::protocol::ssh::{AskPassphrase, OnePassword, SshConnector, SshOptions};
use secrecy::SecretString;

/// What SSH connections of this user are made with.
pub(super) struct SshSetup {
    pub(super) home: PathBuf,
    pub(super) agent: Option<PathBuf>,
    pub(super) known_hosts: Option<PathBuf>,
    pub(super) user: String,
    pub(super) machine: String,
    /// The password of all hosts, where the user gives one.
    pub(super) password: Option<SecretString>,
    pub(super) environment: BTreeMap<String, String>,
    /// What the system's `ssh` gets for an environment.
    pub(super) open_ssh_environment: Vec<(OsString, OsString)>,
    /// Whether somebody can be asked.
    pub(super) has_terminal: bool,
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
pub(super) const SSH_PASSWORD: &str = "LAUNCHPAD_SSH_PASSWORD";

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
    async fn open(&self, endpoints: &[Endpoint], manner: Manner) -> Opened {
        let ask = manner.ask;
        let mut options = SshOptions::for_home(&self.home, Arc::new(std::time::SystemTime::now));
        options.match_exec = manner.allow_match_exec;
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
        let warnings = ssh.warnings().iter().map(ToString::to_string).collect();
        Opened {
            connector: Arc::new(Dispatch::new(ssh, open_ssh)),
            unprepared,
            warnings,
        }
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
