//! Connections to simulated hosts, behind the traits of `rig`.
//!
//! A connection behaves as one of OpenSSH without a terminal: when it breaks, the processes that it
//! started live on, their standard input ends, and what they write goes nowhere.

mod cut;
mod line;
mod meter;
pub(crate) mod session;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use rig::connection::{ByteStream, Endpoint, Process, SshEndpoint};
use rig::{ConnectError, Connection, ConnectionError, Connector};
use tokio::sync::oneshot;

use crate::environment::Environment;
use crate::fault::Verdict;
use crate::host::{Power, Sshd};
use crate::network::Link;
use crate::pipe::pipe;
use crate::world::{Fleet, HostId};

pub(crate) use cut::Cut;
use line::Line;
pub(crate) use meter::Meter;
pub(crate) use session::session_of;
use session::{Asked, Session, Streams};

/// How long a client waits for a connection that nobody answers: that of `rig`.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);
/// How long a client waits for a server that says nothing.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(30);
/// How long a client waits for a host that has stopped answering: three keep-alives.
const KEEP_ALIVE: Duration = Duration::from_secs(45);

/// What a host has sent and received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Connections that were made.
    pub connections: u64,
    /// Commands that were sent.
    pub commands: u64,
    /// Times that launchpad has waited for the host: one for each command, and one for each write
    /// after the first byte of output.
    pub round_trips: u64,
    /// Bytes that were sent to the host.
    pub sent: u64,
    /// Bytes that the host has sent.
    pub received: u64,
    /// Streams that were opened to addresses (`direct-tcpip`).
    pub dials: u64,
}

/// One command that a host was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The host.
    pub host: HostId,
    /// Which command of that host, from 1.
    pub number: u64,
    /// When it began, as time since the start of the fleet.
    pub started: Duration,
    /// When it ended; none where it runs still.
    pub ended: Option<Duration>,
    /// What was declared of it, as the mark says: it reads, it changes, it is the user's.
    pub kind: Kind,
    /// The exit status; none where there was none, or it runs still.
    pub status: Option<u32>,
}

/// What was declared of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only looks.
    Read,
    /// It may change something.
    Change,
    /// It is the text of the user.
    User,
    /// Nothing is known of it.
    Unknown,
}

/// Makes connections to the hosts of a fleet.
#[derive(Debug, Clone)]
pub struct FleetConnector {
    fleet: Fleet,
}

impl Fleet {
    /// Returns what makes connections to the hosts.
    pub fn connector(&self) -> FleetConnector {
        FleetConnector {
            fleet: self.clone(),
        }
    }

    /// Breaks all connections to a host.
    pub fn cut_connections(&self, host: HostId) {
        let cuts = self.world(|world| {
            let found = world.connections.iter().filter(|(of, _)| *of == host);
            found.map(|(_, cut)| cut.clone()).collect::<Vec<Cut>>()
        });
        for cut in cuts {
            cut.cut();
        }
    }

    /// Breaks all connections.
    pub fn cut_all_connections(&self) {
        let cuts = self.world(|world| {
            let all = world.connections.iter();
            all.map(|(_, cut)| cut.clone()).collect::<Vec<Cut>>()
        });
        for cut in cuts {
            cut.cut();
        }
    }

    /// Runs a script as root on a host, without a connection; returns its exit status.
    pub async fn run_script(&self, host: HostId, script: &str) -> u8 {
        let words = ["/bin/sh", "-c", script].map(str::to_owned);
        crate::shell::run_as_root(self, host, &words).await
    }

    pub(crate) fn count(&self, host: HostId, change: impl FnOnce(&mut Traffic)) {
        self.world(|world| change(world.traffic.entry(host).or_default()));
    }
}

#[async_trait]
impl Connector for FleetConnector {
    async fn connect(&self, endpoint: &Endpoint) -> Result<Arc<dyn Connection>, ConnectError> {
        match endpoint {
            Endpoint::Ssh(ssh) => Ok(Box::pin(self.connect_ssh(ssh)).await?),
            Endpoint::Local => {
                let found = self.fleet.world(|world| world.host_named("localhost"));
                let host = found.ok_or(ConnectError::Unsupported {
                    what: "a connection to this machine",
                })?;
                Ok(self.open(host, Vec::new()))
            }
            // Whichever `ssh` it is, the host sees the same.
            Endpoint::OpenSsh(ssh) => {
                let ssh = SshEndpoint {
                    address: ssh.address.clone(),
                    port: ssh.port,
                    user: ssh.user.clone(),
                    key_path: None,
                    host_key: None,
                    bastion: None,
                };
                Ok(Box::pin(self.connect_ssh(&ssh)).await?)
            }
            Endpoint::WinRm { .. } => Err(ConnectError::Unsupported {
                what: "WinRM in a simulated fleet",
            }),
        }
    }
}

impl FleetConnector {
    async fn connect_ssh(&self, ssh: &SshEndpoint) -> Result<Arc<FleetConnection>, ConnectError> {
        let mut way = Vec::new();
        if let Some(bastion) = &ssh.bastion {
            let through = Box::pin(self.connect_ssh(bastion)).await;
            let through = through.map_err(|error| ConnectError::Bastion {
                bastion: bastion.address.clone(),
                source: Arc::new(error),
            })?;
            self.may_forward(bastion, ssh)?;
            way.clone_from(&through.way);
            way.push(through.host);
        }
        let target = format!("{}:{}", ssh.address, ssh.port.unwrap_or(22));
        let Some(host) = self.fleet.world(|world| world.host_at(&ssh.address)) else {
            return Err(ConnectError::Dns {
                name: ssh.address.clone(),
                source: std::io::Error::other("Name or service not known"),
            });
        };
        let (power, sshd, link, has_cable) = self.fleet.host(host, |host| {
            (host.power, host.sshd, host.link, host.has_cable)
        });
        if power != Power::On || !has_cable || sshd == Sshd::Filtered {
            tokio::time::sleep(CONNECT_LIMIT).await;
            return Err(ConnectError::TimedOut {
                target,
                stage: "the TCP connection",
                limit: CONNECT_LIMIT,
            });
        }
        tokio::time::sleep(link.latency * 2).await;
        match sshd {
            Sshd::Up | Sshd::Filtered => {}
            Sshd::OtherKey => {
                tokio::time::sleep(link.latency * 4).await;
                return Err(ConnectError::HostKeyChanged {
                    target: ssh.address.clone(),
                    reason: "the host offers ssh-ed25519 SHA256:new, recorded is ssh-ed25519 \
                             SHA256:old (~/.ssh/known_hosts:1) (simulated)"
                        .to_owned(),
                });
            }
            Sshd::Down => return Err(ConnectError::Refused { target }),
            Sshd::Resets => {
                return Err(ConnectError::ResetBeforeAuth {
                    target,
                    reason: "connection reset by peer".to_owned(),
                });
            }
            Sshd::Silent => {
                tokio::time::sleep(HANDSHAKE_LIMIT).await;
                return Err(ConnectError::NoBanner {
                    target,
                    limit: HANDSHAKE_LIMIT,
                });
            }
            Sshd::Rejects => {
                tokio::time::sleep(link.latency * 10).await;
                return Err(ConnectError::Auth {
                    user: ssh.user.clone().unwrap_or_else(|| "root".to_owned()),
                    target,
                    tried: "id_ed25519 (simulated)".to_owned(),
                    accepted: "publickey".to_owned(),
                });
            }
        }
        // Version, key exchange, authentication: five more round trips, and what they compute.
        tokio::time::sleep(link.latency * 10 + crate::time::of("handshake")).await;
        Ok(self.open(host, way))
    }

    /// Fails where a bastion does not forward.
    fn may_forward(&self, bastion: &SshEndpoint, to: &SshEndpoint) -> Result<(), ConnectError> {
        let found = self.fleet.world(|world| world.host_at(&bastion.address));
        if found.is_none_or(|host| self.fleet.host(host, |host| host.forwards)) {
            return Ok(());
        }
        Err(ConnectError::ForwardingRefused {
            bastion: bastion.address.clone(),
            target: format!("{}:{}", to.address, to.port.unwrap_or(22)),
            reason: "it is not allowed".to_owned(),
        })
    }

    fn open(&self, host: HostId, way: Vec<HostId>) -> Arc<FleetConnection> {
        let cut = Cut::default();
        self.fleet.world(|world| {
            // It ends with those that it goes through, too.
            for of in way.iter().chain([&host]) {
                world.connections.push((*of, cut.clone()));
            }
        });
        self.fleet.count(host, |traffic| traffic.connections += 1);
        Arc::new(FleetConnection {
            fleet: self.fleet.clone(),
            host,
            way,
            cut,
            sessions: Arc::default(),
        })
    }
}

struct FleetConnection {
    fleet: Fleet,
    host: HostId,
    /// The hosts that it goes through, the first of them first.
    way: Vec<HostId>,
    cut: Cut,
    sessions: Arc<AtomicU64>,
}

impl FleetConnection {
    fn lost(reason: &str) -> ConnectionError {
        ConnectionError::Lost {
            reason: reason.to_owned(),
        }
    }

    /// Waits for a host that has stopped answering, as keep-alives do.
    async fn expect_answer(&self) -> Result<Link, ConnectionError> {
        if self.cut.is_cut() {
            return Err(Self::lost("the connection was reset by peer"));
        }
        let hosts = || self.way.iter().chain([&self.host]);
        let is_there = |host: &HostId| {
            let fleet = &self.fleet;
            fleet.host(*host, |host| host.power == Power::On && host.has_cable)
        };
        if hosts().all(is_there) {
            let links = hosts().map(|host| self.fleet.host(*host, |host| host.link));
            return Ok(links.reduce(Link::then).unwrap_or_default());
        }
        tokio::time::sleep(KEEP_ALIVE).await;
        self.cut.cut();
        Err(Self::lost("no answer to keep-alives"))
    }
}

#[async_trait]
impl Connection for FleetConnection {
    async fn exec(&self, line: &str) -> Result<Process, ConnectionError> {
        let link = self.expect_answer().await?;
        let most = self.fleet.host(self.host, |host| host.max_sessions);
        if self.sessions.load(Ordering::Relaxed) >= most {
            return Err(ConnectionError::ChannelRefused {
                reason: "open failed".to_owned(),
            });
        }
        tokio::time::sleep(link.latency * 2).await;
        let (number, verdict) = self.fleet.before_command(self.host);
        if verdict == Some(Verdict::LoseBefore) {
            self.cut.cut();
            return Err(Self::lost("connection reset by peer"));
        }
        self.fleet.count(self.host, |traffic| {
            traffic.commands += 1;
            traffic.round_trips += 1;
        });
        Ok(self.start(line, number, verdict, link))
    }

    async fn dial(&self, host: &str, port: u16) -> Result<Box<dyn ByteStream>, ConnectionError> {
        let link = self.expect_answer().await?;
        tokio::time::sleep(link.latency * 2).await;
        self.fleet.count(self.host, |traffic| traffic.dials += 1);
        let stream = crate::engine::dial(&self.fleet, self.host, host, port);
        match stream {
            Some(stream) => Ok(Box::new(stream)),
            None => Err(ConnectionError::DialRefused {
                target: format!("{host}:{port}"),
                reason: "Connection refused".to_owned(),
            }),
        }
    }

    fn is_open(&self) -> bool {
        !self.cut.is_cut()
    }

    async fn close(&self) {
        self.cut.cut();
    }
}

impl FleetConnection {
    fn start(&self, line: &str, number: u64, verdict: Option<Verdict>, link: Link) -> Process {
        let (stdin_writer, stdin_reader) = pipe();
        let (stdout_writer, stdout_reader) = pipe();
        let (stderr_writer, stderr_reader) = pipe();
        let (ended, exit) = oneshot::channel();
        let meter = Arc::new(Meter::new(&self.fleet, self.host, number));
        let session = Session {
            fleet: self.fleet.clone(),
            host: self.host,
            number,
            verdict,
            user: self.fleet.host(self.host, |host| host.login.clone()),
            environment: Environment::default(),
            asked: Asked::Command(line.to_owned()),
            cut: self.cut.clone(),
        };
        let streams = Streams {
            stdin: stdin_reader,
            stdout: stdout_writer,
            stderr: stderr_writer,
        };
        self.sessions.fetch_add(1, Ordering::Relaxed);
        let sessions = Arc::clone(&self.sessions);
        tokio::spawn(async move {
            let status = session.run(streams).await;
            sessions.fetch_sub(1, Ordering::Relaxed);
            // Nobody may be waiting any more.
            let _ = ended.send(status);
        });
        let cut = self.cut.clone();
        let exit = async move {
            let ended = async {
                let status = exit.await;
                tokio::time::sleep(link.latency).await;
                status
            };
            tokio::select! {
                biased;
                () = cut.happens() => Err(Self::lost("connection reset by peer")),
                status = ended => match status {
                    Ok(Some(status)) => Ok(status),
                    Ok(None) | Err(_) => Err(Self::lost("the channel was closed without a status")),
                },
            }
        };
        Process {
            stdin: Box::new(Line::new(stdin_writer, &self.cut, &meter, link)),
            stdout: Box::new(Line::new(stdout_reader, &self.cut, &meter, link)),
            stderr: Box::new(Line::new(stderr_reader, &self.cut, &meter, link)),
            exit: exit.boxed(),
        }
    }
}
