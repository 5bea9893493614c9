//! A connection to one host, whatever its kind: the seam behind which SSH, the local machine and
//! simulated hosts are the same.
//!
//! A connection knows nothing of quoting, privilege or files: it runs one command line, moves
//! bytes, and says honestly how it ended. A lost connection is never an exit status.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::passage::Passage;

/// A stream of bytes in both directions.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// How a remote process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExitStatus {
    /// It ended by itself, with this status.
    Code(u32),
    /// A signal ended it; its name without `SIG`.
    Signal(String),
}

impl ExitStatus {
    /// Returns whether the process ended with status 0.
    pub fn success(&self) -> bool {
        *self == Self::Code(0)
    }

    /// Returns the status, where it ended by itself.
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::Code(code) => Some(*code),
            Self::Signal(_) => None,
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit status {code}"),
            Self::Signal(name) => write!(f, "signal {name}"),
        }
    }
}

/// A running remote process.
///
/// Dropping it ends the remote process as far as the protocol can: the streams are closed and the
/// channel with them.
pub struct Process {
    /// Its standard input; shut it down to let the process see the end.
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    /// Its standard output.
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    /// Its standard error.
    pub stderr: Box<dyn AsyncRead + Send + Unpin>,
    /// How it ends; resolved once, after both outputs have ended.
    pub exit: futures_util::future::BoxFuture<'static, Result<ExitStatus, ConnectionError>>,
}

/// The size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSize {
    /// How many there are in a line.
    pub columns: u16,
    /// How many lines there are.
    pub rows: u16,
}

/// The terminal of the user, as a host has to know it.
#[derive(Debug, Clone)]
pub struct Terminal {
    /// What it calls itself (`TERM`).
    pub kind: String,
    /// Its size, and every one after.
    pub size: watch::Receiver<TerminalSize>,
}

/// A process in a terminal.
pub enum Interactive {
    /// The host has made a terminal: what is typed goes in as it is, what comes out is shown as it
    /// is.
    Streams(Process),
    /// A program of this machine that has to be given the terminal of the user itself.
    Program(std::process::Command),
}

/// Why an open connection did not do what it was asked to.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectionError {
    /// The connection broke, or ended without saying how the process did.
    #[error("the connection was lost: {reason}")]
    Lost {
        /// What the protocol said.
        reason: String,
    },
    /// The host refuses to open one more session or channel.
    #[error("the host refused to open a channel: {reason}")]
    ChannelRefused {
        /// What the host said.
        reason: String,
    },
    /// The host could not connect to the wanted address.
    #[error("the host cannot connect to `{target}`: {reason}")]
    DialRefused {
        /// `host:port` of the wanted address.
        target: String,
        /// What the host said.
        reason: String,
    },
    /// The local machine could not start the process.
    #[error("cannot start a process")]
    Spawn(#[source] Arc<std::io::Error>),
    /// Reading or writing failed.
    #[error("cannot exchange data with the host")]
    Io(#[source] Arc<std::io::Error>),
    /// The protocol cannot do that.
    #[error("a connection of this kind cannot {what}")]
    Unsupported {
        /// What was wanted.
        what: &'static str,
    },
}

impl ConnectionError {
    /// Returns whether the connection is gone.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::Io(_))
    }

    /// Returns one step that the user can take.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::ChannelRefused { .. } => {
                "raise `MaxSessions` in sshd_config of the host, and look \
                 for `no-pty` or `restrict` in its authorized_keys"
                    .into()
            }
            Self::DialRefused { .. } => {
                "allow it in sshd_config of the host: `AllowTcpForwarding` and `PermitOpen`".into()
            }
            Self::Lost { .. } | Self::Io(_) => {
                "see whether the host is up and the network reaches it, then run again; if it breaks at \
                 the same place, look into the log of sshd on the host"
                    .into()
            }
            Self::Spawn(_) | Self::Unsupported { .. } => return None,
        })
    }
}

/// A connection to one host.
#[async_trait]
pub trait Connection: Send + Sync {
    /// Starts a process: `line` is given to the login shell of the host.
    ///
    /// # Errors
    ///
    /// Fails where no channel can be opened; what the process does is told by its exit.
    async fn exec(&self, line: &str) -> Result<Process, ConnectionError>;

    /// Starts a command line, or the login shell, in a terminal.
    ///
    /// # Errors
    ///
    /// Fails where a connection of this kind has no terminals, or the host opens none.
    async fn interact(
        &self,
        line: Option<&str>,
        terminal: &Terminal,
    ) -> Result<Interactive, ConnectionError> {
        let _ = (line, terminal);
        Err(ConnectionError::Unsupported {
            what: "open a terminal",
        })
    }

    /// Opens a stream to `host:port` as the host itself would.
    ///
    /// # Errors
    ///
    /// Fails where the host cannot reach the address.
    async fn dial(&self, host: &str, port: u16) -> Result<Box<dyn ByteStream>, ConnectionError>;

    /// Returns whether the connection can be used, as far as it is known without a round trip.
    fn is_open(&self) -> bool;

    /// Returns how the connection came to be, as far as a connection of this kind knows it.
    fn passage(&self) -> Passage {
        Passage::default()
    }

    /// Closes the connection; what runs on it is ended.
    async fn close(&self);
}

/// Where a host is, and how to get there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// SSH, spoken by launchpad itself.
    Ssh(SshEndpoint),
    /// The machine that launchpad runs on.
    Local,
    /// SSH, spoken by the system's `ssh`.
    OpenSsh(OpenSshEndpoint),
    /// Windows Remote Management.
    WinRm {
        /// Address.
        address: String,
    },
}

/// A host that is reached over SSH.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SshEndpoint {
    /// Address or alias, as it stands in the configuration.
    pub address: String,
    /// Port; `None` where the configuration leaves it to ssh_config, or 22.
    pub port: Option<u16>,
    /// Login user; `None` where the configuration leaves it to ssh_config, or root.
    pub user: Option<String>,
    /// File of the private key; no other key is offered then.
    pub key_path: Option<PathBuf>,
    /// The only host key that is accepted (`ssh-ed25519 AAAA…`).
    pub host_key: Option<String>,
    /// The host to go through.
    pub bastion: Option<Box<SshEndpoint>>,
}

/// A host that is reached by the system's `ssh`. What is not given is left to ssh_config.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenSshEndpoint {
    /// Name, address, or alias of ssh_config.
    pub address: String,
    /// Port.
    pub port: Option<u16>,
    /// Login user.
    pub user: Option<String>,
    /// File of the private key.
    pub key_path: Option<PathBuf>,
    /// The ssh_config that is read, in place of the usual ones.
    pub config_path: Option<PathBuf>,
    /// Options (`ssh -o`) with their values, nearly always one; they win over ssh_config.
    pub options: BTreeMap<String, Vec<String>>,
    /// Whether each command gets a connection of its own.
    pub disable_multiplexing: bool,
}

impl fmt::Debug for OpenSshEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Options may hold anything, a proxy command with a password too.
        f.debug_struct("OpenSshEndpoint")
            .field("address", &self.address)
            .field("port", &self.port)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ssh(ssh) => f.write_str(&ssh.address),
            Self::Local => f.write_str("localhost"),
            Self::OpenSsh(open_ssh) => f.write_str(&open_ssh.address),
            Self::WinRm { address } => f.write_str(address),
        }
    }
}

/// Why a host could not be connected to.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name does not resolve.
    #[error("cannot resolve `{name}`")]
    Dns {
        /// The name.
        name: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Nothing listens on the port.
    #[error("`{target}` refused the connection")]
    Refused {
        /// `address:port`.
        target: String,
    },
    /// The network has no way to the address.
    #[error("`{target}` cannot be reached")]
    Unreachable {
        /// `address:port`.
        target: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Something took too long.
    #[error("`{target}`: {stage} took longer than {} s", limit.as_secs())]
    TimedOut {
        /// `address:port`.
        target: String,
        /// `the TCP connection`, `the SSH handshake`, `authentication`.
        stage: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The server closed the connection before authentication (MaxStartups, fail2ban, a restart).
    #[error("`{target}` closed the connection before authentication: {reason}")]
    ResetBeforeAuth {
        /// `address:port`.
        target: String,
        /// What the protocol said.
        reason: String,
    },
    /// The host key is not the one that is known.
    #[error("the host key of `{target}` is not the one that is known: {reason}")]
    HostKeyChanged {
        /// The name that was looked up.
        target: String,
        /// Fingerprints, and the place of the known one.
        reason: String,
    },
    /// The host key was revoked.
    #[error("the host key of `{target}` is revoked: {reason}")]
    HostKeyRevoked {
        /// The name that was looked up.
        target: String,
        /// Fingerprint, and the place that says so.
        reason: String,
    },
    /// The host key is not the one of the configuration.
    #[error("the host key of `{target}` is not the one of the configuration: {reason}")]
    HostKeyNotPinned {
        /// The name of the host.
        target: String,
        /// Both fingerprints.
        reason: String,
    },
    /// The certificate of the host does not speak for it.
    #[error("the host certificate of `{target}` is not accepted: {reason}")]
    HostCertificate {
        /// The name that was looked up.
        target: String,
        /// The certificate, the place that names its authority, and what is wrong.
        reason: String,
    },
    /// The host key is not known, and the policy does not accept new ones.
    #[error("the host key of `{target}` is not known: {reason}")]
    HostKeyUnknown {
        /// The name that was looked up.
        target: String,
        /// The fingerprint that was offered.
        reason: String,
    },
    /// The server accepts none of our credentials.
    #[error(
        "`{user}@{target}` accepts none of the keys: tried {tried}; the server accepts {accepted}"
    )]
    Auth {
        /// Login user.
        user: String,
        /// `address:port`.
        target: String,
        /// The keys that were tried, with their origin.
        tried: String,
        /// The methods that the server would accept.
        accepted: String,
    },
    /// The server ended it after so many attempts that failed.
    #[error(
        "`{target}` ended the login of `{user}` after {attempts} attempts, with {left} keys still to \
         offer: {reason}"
    )]
    TooManyAttempts {
        /// Login user.
        user: String,
        /// `address:port`.
        target: String,
        /// How many keys and passwords it refused.
        attempts: usize,
        /// How many keys were not offered any more.
        left: usize,
        /// What the server said.
        reason: String,
    },
    /// The agent that was to give the keys cannot be used, and no other key is accepted.
    #[error("{agent}, and `{user}@{target}` accepts no other key: tried {tried}")]
    Agent {
        /// What is the matter with the agent, with the place of its socket.
        agent: String,
        /// Login user.
        user: String,
        /// `address:port`.
        target: String,
        /// The keys that were tried, and those that could not be.
        tried: String,
    },
    /// There is no credential to offer.
    #[error("there is no key to offer to `{user}@{target}`: {reason}")]
    NoCredentials {
        /// Login user.
        user: String,
        /// `address:port`.
        target: String,
        /// Which files and agents were looked at.
        reason: String,
    },
    /// A key file cannot be used.
    #[error("cannot use the key file `{}`: {reason}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
        /// One step that mends it.
        hint: String,
    },
    /// ssh_config or known_hosts cannot be read.
    #[error("cannot read `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// ssh_config holds something that cannot be understood.
    #[error("`{}`, line {line}: {reason}", path.display())]
    SshConfig {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The server said nothing at all.
    #[error("`{target}` took the connection, but said nothing for {} s", limit.as_secs())]
    NoBanner {
        /// `address:port`.
        target: String,
        /// How long it was given.
        limit: Duration,
    },
    /// What listens there does not speak SSH.
    #[error("`{target}` does not speak SSH: it says `{said}`")]
    NotSsh {
        /// `address:port`.
        target: String,
        /// Its first line.
        said: String,
    },
    /// Both sides know no algorithm of some kind.
    #[error(
        "no {what} algorithm in common with `{target}`: {}",
        offers(ours, theirs)
    )]
    NoCommonAlgorithm {
        /// `address:port`.
        target: String,
        /// `key exchange`, `host key`, `cipher`, `MAC`.
        what: &'static str,
        /// What we offer; nothing where only the system's `ssh` knows it.
        ours: Vec<String>,
        /// What the host offers.
        theirs: Vec<String>,
    },
    /// The `options` of an `openSSH` block are not what `ssh` takes.
    #[error("`ssh` does not take the `options` of this host: {reason}")]
    OpenSshOptions {
        /// What `ssh` said.
        reason: String,
    },
    /// There is no place for the sockets of `ssh`.
    #[error("cannot make a private directory for the sockets of `ssh`")]
    SocketDirectory {
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A program of this machine that the connection is made with cannot be started.
    #[error("cannot start the program `{program}`")]
    Program {
        /// Its name.
        program: &'static str,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The SSH protocol failed.
    #[error("the SSH handshake with `{target}` failed: {reason}")]
    Protocol {
        /// `address:port`.
        target: String,
        /// What the protocol said.
        reason: String,
    },
    /// This kind of connection is not there yet.
    #[error("{what} is not supported yet")]
    Unsupported {
        /// The kind (`a bastion host`, `winRM`).
        what: &'static str,
    },
    /// The bastion failed; its own error is the cause.
    #[error("cannot go through the bastion host `{bastion}`")]
    Bastion {
        /// The bastion, as it is named.
        bastion: String,
        /// The cause, which others who go through it have too.
        #[source]
        source: Arc<ConnectError>,
    },
    /// The bastion does not forward.
    #[error("the bastion host `{bastion}` refuses to forward to `{target}`: {reason}")]
    ForwardingRefused {
        /// The bastion, as it is named.
        bastion: String,
        /// `address:port`.
        target: String,
        /// What the bastion said.
        reason: String,
    },
    /// The bastion does not reach the host.
    #[error("the bastion host `{bastion}` does not reach `{target}`: {reason}")]
    BeyondBastion {
        /// The bastion, as it is named.
        bastion: String,
        /// `address:port`.
        target: String,
        /// What the bastion said.
        reason: String,
    },
    /// Hosts of ssh_config jump through each other.
    #[error("the way to `{target}` goes through more than {most} hosts")]
    TooManyJumps {
        /// The host, as it is named.
        target: String,
        /// How many there may be.
        most: usize,
    },
    /// The program that should have led to the host did not.
    #[error("the ProxyCommand for `{target}` failed: {reason}")]
    ProxyCommand {
        /// `address:port`.
        target: String,
        /// What it printed, or how it ended.
        reason: String,
    },
}

impl ConnectError {
    /// Returns whether trying again may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused { .. }
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::NoBanner { .. }
            | Self::BeyondBastion { .. }
            | Self::ProxyCommand { .. }
            | Self::ResetBeforeAuth { .. } => true,
            Self::Bastion { source, .. } => source.is_transient(),
            // What `getaddrinfo(3)` calls EAI_AGAIN has no kind of its own.
            Self::Dns { source, .. } => source.to_string().contains("Temporary failure"),
            Self::HostKeyChanged { .. }
            | Self::HostKeyRevoked { .. }
            | Self::HostKeyNotPinned { .. }
            | Self::HostKeyUnknown { .. }
            | Self::HostCertificate { .. }
            | Self::NotSsh { .. }
            | Self::NoCommonAlgorithm { .. }
            | Self::TooManyAttempts { .. }
            | Self::ForwardingRefused { .. }
            | Self::TooManyJumps { .. }
            | Self::Auth { .. }
            | Self::Agent { .. }
            | Self::NoCredentials { .. }
            | Self::KeyFile { .. }
            | Self::File { .. }
            | Self::SshConfig { .. }
            | Self::OpenSshOptions { .. }
            | Self::Program { .. }
            | Self::SocketDirectory { .. }
            | Self::Protocol { .. }
            | Self::Unsupported { .. } => false,
        }
    }

    /// Returns a word for what went wrong, for programs: it does not change.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Dns { .. } => "dns",
            Self::Refused { .. } => "refused",
            Self::Unreachable { .. } => "unreachable",
            Self::TimedOut { .. } => "timed-out",
            Self::ResetBeforeAuth { .. } => "reset",
            Self::HostKeyChanged { .. } | Self::HostKeyNotPinned { .. } => "host-key-changed",
            Self::HostKeyRevoked { .. } => "host-key-revoked",
            Self::HostKeyUnknown { .. } => "host-key-unknown",
            Self::HostCertificate { .. } => "host-certificate",
            Self::Auth { .. } | Self::NoCredentials { .. } => "login",
            Self::TooManyAttempts { .. } => "too-many-keys",
            Self::Agent { .. } => "agent",
            Self::KeyFile { .. } => "key-file",
            Self::NoBanner { .. } => "no-banner",
            Self::NotSsh { .. } => "not-ssh",
            Self::NoCommonAlgorithm { .. } => "no-common-algorithm",
            Self::Bastion { source, .. } => source.class(),
            Self::ForwardingRefused { .. } => "forwarding-refused",
            Self::BeyondBastion { .. } => "beyond-bastion",
            Self::TooManyJumps { .. } => "too-many-jumps",
            Self::ProxyCommand { .. } => "proxy-command",
            Self::File { .. } | Self::SshConfig { .. } | Self::OpenSshOptions { .. } => {
                "configuration"
            }
            Self::Program { .. } | Self::SocketDirectory { .. } => "this-machine",
            Self::Protocol { .. } => "protocol",
            Self::Unsupported { .. } => "unsupported",
        }
    }

    /// Returns one step that the user can take.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Dns { .. } => "check `address` of this host, and the DNS of this machine".into(),
            Self::Refused { .. } => {
                "check that sshd runs on the host, and `port` of this host".into()
            }
            Self::Unreachable { .. } | Self::TimedOut { .. } => {
                "check `address`, the network and firewalls between this machine and the host"
                    .into()
            }
            Self::ResetBeforeAuth { .. } => {
                "the server may limit new connections (MaxStartups, fail2ban); try again later"
                    .into()
            }
            Self::HostKeyChanged { target, .. } => format!(
                "if the host was made anew, remove its old key with `ssh-keygen -R '{target}'`"
            ),
            Self::HostKeyRevoked { .. } => {
                "give the host a new key; somebody else may hold this one".into()
            }
            Self::HostKeyNotPinned { .. } => "check `hostKey` of this host".into(),
            Self::HostKeyUnknown { .. } => {
                "connect once with `ssh` to accept the key, or set `StrictHostKeyChecking \
                 accept-new` in ssh_config"
                    .into()
            }
            Self::Auth { .. } | Self::NoCredentials { .. } => {
                "set `keyPath` of this host to a key that it accepts, or add the key to your agent"
                    .into()
            }
            Self::Agent { .. } => {
                "start the agent and add the key (`eval $(ssh-agent)`, `ssh-add`), or log in anew \
                 where it runs: `SSH_AUTH_SOCK`, or `IdentityAgent` of ssh_config, names its socket"
                    .into()
            }
            Self::TooManyAttempts { .. } => {
                "set `keyPath` of this host, or `IdentityFile` and `IdentitiesOnly yes` in \
                 ssh_config, so that the right key is offered first"
                    .into()
            }
            Self::HostCertificate { .. } => {
                "have the host's certificate signed anew, for the name that you use".into()
            }
            Self::NoBanner { .. } => {
                "look whether the host is frozen or overloaded, and what listens on `port`".into()
            }
            Self::NotSsh { .. } => {
                "check `port` of this host: something else than sshd listens there".into()
            }
            Self::NoCommonAlgorithm { what, .. } => {
                let keyword = match *what {
                    "key exchange" => "KexAlgorithms",
                    "host key" => "HostKeyAlgorithms",
                    "cipher" => "Ciphers",
                    _ => "MACs",
                };
                format!("update sshd on the host, or check `{keyword}` of your ssh_config")
            }
            Self::KeyFile { hint, .. } => hint.clone(),
            Self::Bastion { source, .. } => return source.hint(),
            Self::ForwardingRefused { .. } => {
                "allow it in sshd_config of the bastion: `AllowTcpForwarding`, `PermitOpen`, and no \
                 `restrict` in authorized_keys"
                    .into()
            }
            Self::BeyondBastion { bastion, target, .. } => {
                let (host, port) = target.rsplit_once(':').unwrap_or((target, "22"));
                format!("check that sshd runs there; from `{bastion}`, try `nc -vz {host} {port}`")
            }
            Self::TooManyJumps { .. } => {
                "look for hosts that jump through each other in ssh_config (`ProxyJump`)".into()
            }
            Self::ProxyCommand { .. } => "run the command of ssh_config by hand".into(),
            Self::Unsupported { .. } => "use `ssh`, `openSSH` or `localhost` for this host".into(),
            Self::File { .. } | Self::SshConfig { .. } => {
                "mend the file, or move it out of the way".into()
            }
            Self::OpenSshOptions { .. } => {
                "mend `openSSH.options` of this host; `man ssh_config` names what there is".into()
            }
            Self::Program { .. } => {
                "install the OpenSSH client (package `openssh-client` or `openssh-clients`), or \
                 use `ssh` in place of `openSSH` for this host"
                    .into()
            }
            Self::SocketDirectory { .. } => {
                "set XDG_RUNTIME_DIR or TMPDIR to a directory that you may write to, with a short \
                 name"
                    .into()
            }
            Self::Protocol { .. } => {
                "run `ssh -v` to the host with the same name and user, and compare".into()
            }
        })
    }
}

/// Says who offers which algorithms.
fn offers(ours: &[String], theirs: &[String]) -> String {
    let theirs = theirs.join(", ");
    match ours {
        [] => format!("the host offers {theirs}"),
        ours => format!("this side offers {}, the host {theirs}", ours.join(", ")),
    }
}

/// Why one of the hosts to prepare cannot be connected to.
#[derive(Debug)]
pub struct Unprepared {
    /// Which of the hosts, counted from 0.
    pub index: usize,
    /// Why.
    pub error: ConnectError,
}

/// Makes connections.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Connects once; retrying is the caller's business.
    ///
    /// # Errors
    ///
    /// Fails with a classified error.
    async fn connect(&self, endpoint: &Endpoint) -> Result<Arc<dyn Connection>, ConnectError>;
}
