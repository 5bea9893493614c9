//! SSH, spoken by russh: the only module that knows it.
//!
//! What the user's own `ssh` would do with a host is done here too: ssh_config, known_hosts, keys
//! and the agent are read as OpenSSH reads them. Nothing is asked while hosts are worked on:
//! [`SshConnector::prepare`] asks for every passphrase before.
//!
//! | module | holds |
//! |---|---|
//! | `config`, `pattern`, `algorithms` | ssh_config |
//! | `known_hosts`, `host_key`, `host_certificate`, `revoked` | whether a host is the one it was |
//! | `keys`, `legacy_pem`, `passwords` | key files, passphrases, passwords |
//! | `offers`, `signing`, `auth` | which keys are offered, logging in |
//! | `route`, `hop`, `dial`, `bastion`, `proxy_command` | the way to a host |
//! | `handshake`, `wire`, `prompt` | from a stream to an encrypted session |
//! | `connection`, `channel` | many processes and streams over one session |

mod algorithms;
mod auth;
mod bastion;
mod channel;
mod config;
mod connection;
mod dial;
mod handshake;
mod hop;
mod host_certificate;
mod host_key;
mod keys;
mod known_hosts;
mod legacy_pem;
mod offers;
mod passwords;
mod pattern;
mod prompt;
mod proxy_command;
mod revoked;
mod route;
mod signing;
mod wire;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use russh::keys::PublicKey;

pub use self::config::ConfigWarning;
pub use self::keys::{AskPassphrase, NobodyToAsk};
pub use self::passwords::{AskPassword, OnePassword, PasswordQuestion};

use self::algorithms::Algorithms;
use self::auth::{Agent, Login, PasswordSource};
use self::bastion::Bastions;
use self::config::{AgentChoice, Asker, Document, HostConfig, Reader, ThisMachine};
use self::connection::SshConnection;
use self::handshake::Manners;
use self::hop::{Hop, NamedIn};
use self::host_key::{CheckOptions, HostKeyCheck};
use self::keys::KeyFiles;
use self::known_hosts::KnownHosts;
use self::offers::{NamedBy, Offer, Sources};
use self::passwords::Passwords;
use self::route::Way;
use super::handshakes::Handshakes;
use super::target;
use crate::connection::{
    ByteStream, ConnectError, Connection, Connector, Endpoint, SshEndpoint, Unprepared,
};
use crate::passage::Passage;

/// How long the steps of connecting may take.
#[derive(Debug, Clone, Copy)]
pub struct SshTimeouts {
    /// Name resolution and TCP.
    pub connect: Duration,
    /// From the first byte to an accepted host key.
    pub handshake: Duration,
    /// All keys together; the agent may ask the user to confirm.
    pub authentication: Duration,
    /// The pause after which the host is asked whether it is still there. After three questions
    /// without an answer the connection is lost.
    pub keep_alive: Duration,
    /// How long output that nobody reads may hold up the other processes of its host.
    pub unread_output: Duration,
}

impl Default for SshTimeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            handshake: Duration::from_secs(30),
            authentication: Duration::from_secs(60),
            keep_alive: Duration::from_secs(15),
            unread_output: Duration::from_secs(60),
        }
    }
}

/// What SSH connections are made with.
#[derive(Clone)]
pub struct SshOptions {
    /// ssh_config files; the first value found counts.
    pub config_files: Vec<PathBuf>,
    /// The user's known_hosts; new keys go to the first.
    pub user_known_hosts: Vec<PathBuf>,
    /// The machine's known_hosts.
    pub global_known_hosts: Vec<PathBuf>,
    /// Socket of the agent.
    pub agent: Option<PathBuf>,
    /// Home directory of the user.
    pub home: PathBuf,
    /// Name of the user on this machine (`%u`).
    pub local_user: String,
    /// Number of the user on this machine (`%i`).
    pub local_uid: u32,
    /// Name of this machine (`%l`).
    pub local_host: String,
    /// The environment, for `${…}` in ssh_config.
    pub environment: BTreeMap<String, String>,
    /// Whether commands of `Match exec` are run.
    pub match_exec: bool,
    /// The keys to offer where nobody named one.
    pub default_identities: Vec<PathBuf>,
    /// Asks for passphrases.
    pub passphrases: Arc<dyn AskPassphrase>,
    /// Gives passwords; without it, only keys are used.
    pub passwords: Option<Arc<dyn AskPassword>>,
    /// How many hosts may be connected to at the same time.
    pub handshakes: usize,
    /// How many connections to one server may be without login at the same time: a stock sshd
    /// begins to refuse at 10, and counts one that has just logged in a little longer.
    pub handshakes_per_server: usize,
    /// How long the steps may take.
    pub timeouts: SshTimeouts,
    /// Tells the time, for certificates that are valid for a while.
    pub clock: WallClock,
}

/// Tells the time.
pub type WallClock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

impl SshOptions {
    /// Returns the usual places of a user; without an agent or an environment, and with nobody to
    /// ask. The user is the one whom the home directory belongs to.
    pub fn for_home(home: &Path, clock: WallClock) -> Self {
        let own = home.join(".ssh");
        let all = Path::new("/etc/ssh");
        Self {
            config_files: vec![own.join("config"), all.join("ssh_config")],
            user_known_hosts: vec![own.join("known_hosts"), own.join("known_hosts2")],
            global_known_hosts: vec![all.join("ssh_known_hosts"), all.join("ssh_known_hosts2")],
            agent: None,
            home: home.to_owned(),
            local_user: String::new(),
            local_uid: std::fs::metadata(home).map_or(0, |home| home.uid()),
            local_host: "localhost".to_owned(),
            environment: BTreeMap::new(),
            match_exec: false,
            default_identities: ["id_ed25519", "id_ecdsa", "id_rsa"]
                .map(|name| own.join(name))
                .to_vec(),
            passphrases: Arc::new(NobodyToAsk),
            passwords: None,
            handshakes: 64,
            handshakes_per_server: 5,
            timeouts: SshTimeouts::default(),
            clock,
        }
    }
}

/// Connects to hosts over SSH; cheap to clone.
#[derive(Clone)]
pub struct SshConnector {
    inner: Arc<Inner>,
}

struct Inner {
    options: SshOptions,
    config: OnceLock<Vec<Arc<Document>>>,
    world: ThisMachine,
    warnings: Mutex<BTreeSet<ConfigWarning>>,
    known_hosts: Arc<KnownHosts>,
    keys: KeyFiles,
    passwords: Passwords,
    handshakes: Handshakes,
    bastions: Bastions,
}

/// What is known of a host before it is connected to.
struct Resolved {
    config: HostConfig,
    algorithms: Algorithms,
    sources: Sources,
    agent_socket: Option<PathBuf>,
    pinned: Option<PublicKey>,
}

impl Resolved {
    fn target(&self) -> String {
        target(&self.config.host_name, self.config.port)
    }
}

/// The keys that agents hold, by their sockets.
type Agents = HashMap<PathBuf, Vec<russh::keys::agent::AgentIdentity>>;

impl SshConnector {
    /// Makes a connector; nothing is read yet.
    pub fn new(options: SshOptions) -> Self {
        Self {
            inner: Arc::new(Inner {
                config: OnceLock::new(),
                world: ThisMachine::new(options.environment.clone(), options.match_exec),
                warnings: Mutex::default(),
                known_hosts: Arc::default(),
                keys: KeyFiles::default(),
                passwords: Passwords::default(),
                handshakes: Handshakes::new(options.handshakes, options.handshakes_per_server),
                bastions: Bastions::default(),
                options,
            }),
        }
    }

    /// Reads the configuration and the keys of all hosts, and asks for the passphrases of those
    /// keys that will be used and that no agent holds: once for each key.
    ///
    /// Returns what is wrong, once for each key file; hosts that are not named can be connected
    /// to as far as this machine knows.
    pub async fn prepare(&self, endpoints: &[SshEndpoint]) -> Vec<Unprepared> {
        let mut agents = Agents::new();
        let mut done: HashSet<PathBuf> = HashSet::new();
        let mut unprepared = Vec::new();
        for (index, endpoint) in endpoints.iter().enumerate() {
            let prepared = match self.inner.way_to(endpoint) {
                Ok(way) => self.prepare_way(&way, &mut agents, &mut done).await,
                Err(error) => Err(error),
            };
            if let Err(error) = prepared {
                unprepared.push(Unprepared { index, error });
            }
        }
        unprepared
    }

    /// Returns what was passed over in ssh_config, as far as it was read for hosts.
    pub fn warnings(&self) -> Vec<ConfigWarning> {
        let warnings = self.inner.warnings.lock();
        let warnings = warnings.unwrap_or_else(PoisonError::into_inner);
        warnings.iter().cloned().collect()
    }

    /// Prepares the hosts of a way, the first of them first.
    async fn prepare_way(
        &self,
        way: &Way,
        agents: &mut Agents,
        done: &mut HashSet<PathBuf>,
    ) -> Result<(), ConnectError> {
        if let Some(before) = &way.before {
            let prepared = Box::pin(self.prepare_way(before, agents, done)).await;
            prepared.map_err(|error| before.failed(Arc::new(error)))?;
        }
        self.prepare_one(&way.resolved, agents, done).await
    }

    async fn prepare_one(
        &self,
        resolved: &Resolved,
        agents: &mut Agents,
        done: &mut HashSet<PathBuf>,
    ) -> Result<(), ConnectError> {
        let inner = &self.inner;
        let mut identities: &[_] = &[];
        if let Some(socket) = &resolved.agent_socket {
            if !agents.contains_key(socket) {
                let (agent, _) = inner.agent(resolved).await;
                agents.insert(
                    socket.clone(),
                    agent.map_or_else(Vec::new, |agent| agent.identities),
                );
            }
            identities = agents.get(socket).map_or(&[], Vec::as_slice);
        }
        let offer = offers::collect(
            &resolved.sources,
            &inner.keys,
            identities,
            &resolved.algorithms,
        )?;
        let is_named = resolved.sources.named_by != NamedBy::Default;
        // A key that is only usual to have is not worth a question where there are others.
        if !is_named && !offer.credentials.is_empty() {
            return Ok(());
        }
        if offer.credentials.is_empty() && offer.locked.is_empty() {
            inner.ask_password(resolved).await;
        }
        let is_needed = offers::is_locked_needed(&resolved.sources, &offer);
        for (path, text) in offer.locked {
            if !done.insert(path.clone()) {
                continue;
            }
            let unlocked = inner
                .keys
                .unlock(&path, text, &*inner.options.passphrases)
                .await;
            match unlocked {
                Err(fault) if is_needed => return Err(fault.into_error(&path)),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }
}

impl Inner {
    /// Finds out how a host is reached, from its own settings and ssh_config.
    fn resolve(&self, hop: &Hop) -> Result<Resolved, ConnectError> {
        let (options, endpoint) = (&self.options, &hop.endpoint);
        let asker = Asker {
            alias: &endpoint.address,
            user: endpoint.user.as_deref(),
            port: endpoint.port,
            usual_user: match hop.named_in {
                NamedIn::Configuration => "root",
                NamedIn::SshConfig => &options.local_user,
            },
            home: &options.home,
            local_user: &options.local_user,
            local_uid: options.local_uid,
            local_host: &options.local_host,
            world: &self.world,
        };
        let config = config::resolve(self.config()?, &asker)?;
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        for warning in &config.warnings {
            if warnings.insert(warning.clone()) {
                tracing::warn!(%warning, "ssh_config");
            }
        }
        drop(warnings);
        let sources = self.sources(endpoint, &config);
        let agent_socket = match &config.identity_agent {
            AgentChoice::Usual => options.agent.clone(),
            AgentChoice::Nobody => None,
            AgentChoice::Socket(socket) => Some(socket.clone()),
        };
        let algorithms = Algorithms::choose(&config.algorithms).map_err(|reason| {
            let target = endpoint.address.clone();
            ConnectError::Protocol { target, reason }
        })?;
        let pinned = match &endpoint.host_key {
            None => None,
            Some(text) => Some(PublicKey::from_openssh(text.trim()).map_err(|error| {
                ConnectError::HostKeyNotPinned {
                    target: endpoint.address.clone(),
                    reason: format!("`hostKey` cannot be read: {error}"),
                }
            })?),
        };
        Ok(Resolved {
            config,
            algorithms,
            sources,
            agent_socket,
            pinned,
        })
    }

    /// Returns where the keys for a host may come from.
    fn sources(&self, endpoint: &SshEndpoint, config: &HostConfig) -> Sources {
        match &endpoint.key_path {
            Some(path) => Sources {
                files: vec![path.clone()],
                certificates: config.certificate_files.clone(),
                named_by: NamedBy::Host,
                only_files: true,
            },
            None => Sources {
                named_by: match config.identity_files {
                    Some(_) => NamedBy::SshConfig,
                    None => NamedBy::Default,
                },
                files: config
                    .identity_files
                    .clone()
                    .unwrap_or_else(|| self.options.default_identities.clone()),
                certificates: config.certificate_files.clone(),
                only_files: config.identities_only,
            },
        }
    }

    fn config(&self) -> Result<&[Arc<Document>], ConnectError> {
        if let Some(documents) = self.config.get() {
            return Ok(documents);
        }
        let reader = Reader {
            home: &self.options.home,
            world: &self.world,
        };
        let mut documents = Vec::new();
        for path in &self.options.config_files {
            documents.push(Arc::new(reader.read(path)?));
        }
        Ok(self.config.get_or_init(|| documents))
    }

    /// Asks the agent of a host; says why where it does not answer.
    async fn agent(&self, resolved: &Resolved) -> (Option<Agent>, Option<String>) {
        let Some(socket) = &resolved.agent_socket else {
            return (None, None);
        };
        let limit = self.options.timeouts.authentication;
        match tokio::time::timeout(limit, auth::ask_agent(socket)).await {
            Ok(Ok(agent)) => (Some(agent), None),
            Ok(Err(reason)) => (None, Some(reason)),
            Err(_elapsed) => {
                let socket = socket.display();
                (None, Some(format!("the agent at {socket} does not answer")))
            }
        }
    }

    async fn offer(&self, resolved: &Resolved) -> Result<(Option<Agent>, Offer), ConnectError> {
        let (agent, fault) = self.agent(resolved).await;
        let identities = agent.as_ref().map_or(&[][..], |agent| &agent.identities);
        let mut offer = offers::collect(
            &resolved.sources,
            &self.keys,
            identities,
            &resolved.algorithms,
        )?;
        offer.agent_fault = fault;
        if let Some(error) = offers::locked_error(&resolved.sources, &offer) {
            return Err(error);
        }
        if offer.credentials.is_empty() && !self.may_use_password(resolved) {
            let (user, target) = (resolved.config.user.clone(), resolved.target());
            let reason = self.why_nothing(resolved, &offer, agent.is_some());
            return Err(match offer.agent_fault {
                Some(agent) => ConnectError::Agent {
                    agent,
                    user,
                    target,
                    tried: reason,
                },
                None => ConnectError::NoCredentials {
                    user,
                    target,
                    reason,
                },
            });
        }
        Ok((agent, offer))
    }

    /// Returns whether a password may open the door.
    fn may_use_password(&self, resolved: &Resolved) -> bool {
        let methods = &resolved.config.methods;
        self.options.passwords.is_some() && (methods.password || methods.keyboard_interactive)
    }

    /// Asks for the password of a host for which there is no key, before anything begins.
    async fn ask_password(&self, resolved: &Resolved) {
        let ask = self.options.passwords.as_ref();
        if let Some(ask) = ask.filter(|_| self.may_use_password(resolved)) {
            let question = PasswordQuestion {
                user: &resolved.config.user,
                target: &resolved.target(),
                prompt: None,
                again: false,
            };
            // It is kept; without an answer, connecting says what is missing.
            let _ = self.passwords.find(&**ask, question).await;
        }
    }

    fn why_nothing(&self, resolved: &Resolved, offer: &Offer, has_agent: bool) -> String {
        let mut reasons = offer.passed_over.clone();
        if reasons.is_empty() {
            let files: Vec<String> = resolved
                .sources
                .files
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            reasons.push(format!("none of {} is there", files.join(", ")));
        }
        match (&resolved.agent_socket, has_agent) {
            (None, _) => reasons.push("there is no agent".to_owned()),
            (Some(_), true) => reasons.push("the agent holds none that may be used".to_owned()),
            (Some(_), false) => {}
        }
        reasons.join("; ")
    }

    /// Makes a connection of a stream that leads to the server.
    async fn set_up(
        &self,
        stream: Box<dyn ByteStream>,
        resolved: &Resolved,
        agent: Option<Agent>,
        offer: &Offer,
        address: Option<IpAddr>,
    ) -> Result<SshConnection, ConnectError> {
        let timeouts = &self.options.timeouts;
        let (config, target) = (&resolved.config, resolved.target());
        let is_beyond = address.is_none();
        let check = self.check(resolved, address)?;
        let alive = config.server_alive;
        let interval = alive.interval.unwrap_or(timeouts.keep_alive);
        let missed = alive.count_max.unwrap_or(3);
        let manners = Manners {
            target: &target,
            algorithms: &resolved.algorithms,
            limit: timeouts.handshake,
            keep_alive: Some(interval).filter(|interval| !interval.is_zero()),
            missed,
            // A peer that takes nothing is lost, also where nobody wants questions.
            patience: timeouts.keep_alive.max(interval) * (missed.min(100) + 1),
            is_beyond,
        };
        let mut greeted = handshake::greet(stream, check, &manners).await?;
        let passwords = self.options.passwords.as_deref();
        let login = Login {
            user: &config.user,
            target: &target,
            shared: &greeted.shared,
            methods: &config.methods,
            algorithms: &resolved.algorithms,
            offer,
            passwords: passwords.map(|ask| PasswordSource {
                ask,
                kept: &self.passwords,
            }),
        };
        let agent = agent.map(|agent| agent.client);
        let logging_in = auth::log_in(&login, &mut greeted.handle, agent);
        let opened_by = tokio::time::timeout(timeouts.authentication, logging_in)
            .await
            .unwrap_or_else(|_elapsed| {
                Err(ConnectError::TimedOut {
                    target: target.clone(),
                    stage: "authentication",
                    limit: timeouts.authentication,
                })
            })?;
        let host_key = greeted.host_key.take();
        let passage = Passage {
            target: Some(target.clone()),
            user: Some(config.user.clone()),
            through: Vec::new(),
            credential: Some(opened_by),
            known_by: host_key.as_ref().map(|accepted| accepted.by.clone()),
            host_key: host_key.map(|accepted| accepted.key),
        };
        Ok(SshConnection::new(
            greeted.handle,
            greeted.shared,
            greeted.cut,
            timeouts.unread_output,
            passage,
        ))
    }

    fn check(
        &self,
        resolved: &Resolved,
        address: Option<IpAddr>,
    ) -> Result<HostKeyCheck, ConnectError> {
        let config = &resolved.config;
        let files = |named: &Option<Vec<PathBuf>>, usual: &[PathBuf]| {
            named.clone().unwrap_or_else(|| usual.to_vec())
        };
        let options = CheckOptions {
            host: config.host_name.clone(),
            port: config.port,
            alias: config.host_key_alias.clone(),
            revoked: config.revoked_host_keys.clone(),
            strictness: config.strictness.unwrap_or_default(),
            hashed: config.hash_known_hosts,
            user_files: files(&config.user_known_hosts, &self.options.user_known_hosts),
            global_files: files(&config.global_known_hosts, &self.options.global_known_hosts),
            pinned: resolved.pinned.clone(),
            // What stands for several hosts has several addresses.
            address: address.filter(|_| config.check_host_ip && config.host_key_alias.is_none()),
            now: (self.options.clock)(),
        };
        HostKeyCheck::new(options, Arc::clone(&self.known_hosts))
    }
}

#[async_trait]
impl Connector for SshConnector {
    async fn connect(&self, endpoint: &Endpoint) -> Result<Arc<dyn Connection>, ConnectError> {
        match endpoint {
            Endpoint::Ssh(endpoint) => {
                let inner = Arc::clone(&self.inner);
                let way = inner.way_to(endpoint)?;
                let connection = inner.connect(way).await?;
                Ok(Arc::new(connection))
            }
            Endpoint::Local | Endpoint::OpenSsh { .. } | Endpoint::WinRm { .. } => {
                Err(ConnectError::Unsupported {
                    what: "anything but SSH",
                })
            }
        }
    }
}
