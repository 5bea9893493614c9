//! Connections to simulated hosts, behind the traits of `rig`.
//!
//! A connection behaves as one of OpenSSH without a terminal: when it breaks, the processes that it
//! started live on, their standard input ends, and what they write goes nowhere.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use rig::connection::{ByteStream, Endpoint, ExitStatus, Process, SshEndpoint};
use rig::{ConnectError, Connection, ConnectionError, Connector};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::Sleep;

use crate::environment::Environment;
use crate::fault::Verdict;
use crate::host::{LoginShell, Power, Sshd};
use crate::network::Link;
use crate::pipe::{Reader, Writer, pipe};
use crate::process::Ended;
use crate::world::{Fleet, HostId};

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

    /// Runs a script as root on a host, without a connection; returns its exit status.
    pub async fn run_script(&self, host: HostId, script: &str) -> u8 {
        let words = ["/bin/sh", "-c", script].map(str::to_owned);
        crate::shell::run_as_root(self, host, &words).await
    }

    fn count(&self, host: HostId, change: impl FnOnce(&mut Traffic)) {
        self.world(|world| change(world.traffic.entry(host).or_default()));
    }
}

#[async_trait]
impl Connector for FleetConnector {
    async fn connect(&self, endpoint: &Endpoint) -> Result<Arc<dyn Connection>, ConnectError> {
        match endpoint {
            Endpoint::Ssh(ssh) => Box::pin(self.connect_ssh(ssh)).await,
            Endpoint::Local => {
                let found = self.fleet.world(|world| world.host_named("localhost"));
                let host = found.ok_or(ConnectError::Unsupported {
                    what: "a connection to this machine",
                })?;
                Ok(self.open(host))
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
                Box::pin(self.connect_ssh(&ssh)).await
            }
            Endpoint::WinRm { .. } => Err(ConnectError::Unsupported {
                what: "WinRM in a simulated fleet",
            }),
        }
    }
}

impl FleetConnector {
    async fn connect_ssh(&self, ssh: &SshEndpoint) -> Result<Arc<dyn Connection>, ConnectError> {
        if let Some(bastion) = &ssh.bastion {
            let through = Box::pin(self.connect_ssh(bastion)).await;
            let through = through.map_err(|error| ConnectError::Bastion {
                bastion: bastion.address.clone(),
                source: Arc::new(error),
            })?;
            through.close().await;
            self.may_forward(bastion, ssh)?;
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
        Ok(self.open(host))
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

    fn open(&self, host: HostId) -> Arc<dyn Connection> {
        let cut = Cut::default();
        self.fleet
            .world(|world| world.connections.push((host, cut.clone())));
        self.fleet.count(host, |traffic| traffic.connections += 1);
        Arc::new(FleetConnection {
            fleet: self.fleet.clone(),
            host,
            cut,
            sessions: Arc::default(),
        })
    }
}

/// A connection that can be cut; shared by all that hangs on it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cut(Arc<CutState>);

#[derive(Debug, Default)]
struct CutState {
    is_cut: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl Cut {
    fn wakers(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn cut(&self) {
        self.0.is_cut.store(true, Ordering::Relaxed);
        for waker in std::mem::take(&mut *self.wakers()) {
            waker.wake();
        }
    }

    fn is_cut(&self) -> bool {
        self.0.is_cut.load(Ordering::Relaxed)
    }

    /// Returns whether it is cut; wakes the task when it will be.
    fn poll(&self, context: &Context<'_>) -> bool {
        if self.is_cut() {
            return true;
        }
        let mut wakers = self.wakers();
        if !wakers.iter().any(|known| known.will_wake(context.waker())) {
            wakers.push(context.waker().clone());
        }
        false
    }

    async fn happens(&self) {
        std::future::poll_fn(|context| {
            if self.poll(context) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

struct FleetConnection {
    fleet: Fleet,
    host: HostId,
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
        let (power, has_cable, link) = self
            .fleet
            .host(self.host, |host| (host.power, host.has_cable, host.link));
        if power == Power::On && has_cable {
            return Ok(link);
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
        let meter = Arc::new(Meter {
            fleet: self.fleet.clone(),
            host: self.host,
            number,
            has_input: AtomicBool::new(false),
            has_output: AtomicBool::new(false),
            received: AtomicU64::new(0),
        });
        let session = Session {
            fleet: self.fleet.clone(),
            host: self.host,
            number,
            verdict: verdict.clone(),
            line: line.to_owned(),
            cut: self.cut.clone(),
        };
        self.sessions.fetch_add(1, Ordering::Relaxed);
        let sessions = Arc::clone(&self.sessions);
        tokio::spawn(async move {
            let status = session
                .run(stdin_reader, stdout_writer, stderr_writer)
                .await;
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

/// One command on its way.
struct Session {
    fleet: Fleet,
    host: HostId,
    number: u64,
    verdict: Option<Verdict>,
    line: String,
    cut: Cut,
}

impl Session {
    /// Runs the line; returns how it ended, none where nobody will know.
    async fn run(self, stdin: Reader, stdout: Writer, stderr: Writer) -> Option<ExitStatus> {
        self.fleet.command_started(self.host, self.number);
        let before = self.fleet.before_audit(self.host);
        let ended = match &self.verdict {
            Some(Verdict::Fail { status, said }) => {
                // The program is read for its mark, so that the failure is the command's own.
                let program = stdin.read_to_end().await.unwrap_or_default();
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
        let (login, files, first) = self.fleet.host(self.host, |host| {
            (host.login.clone(), host.files.clone(), host.login_shell)
        });
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
        let Some(credentials) = crate::accounts::credentials(&files, &login) else {
            return Ended::Code(1);
        };
        let login = crate::shell::Login {
            session: session_of(self.host, self.number),
            credentials,
            environment: Environment::default(),
            line: self.line.clone(),
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
fn mark_of(program: &[u8]) -> Option<&str> {
    let start = std::str::from_utf8(program.get(..program.len().min(200))?).ok()?;
    let at = start.find("launchpad-")?;
    let rest = &start[at..];
    let end = rest.find(|one: char| !one.is_ascii_alphanumeric() && one != '-')?;
    Some(&rest[..end])
}

/// Returns what a mark declares of its command.
fn kind_of(mark: &str) -> Kind {
    match mark
        .strip_prefix("launchpad-")
        .and_then(|rest| rest.chars().next())
    {
        Some('r') => Kind::Read,
        Some('c') => Kind::Change,
        Some('u') => Kind::User,
        _ => Kind::Unknown,
    }
}

/// Counts what goes over a channel.
struct Meter {
    fleet: Fleet,
    host: HostId,
    number: u64,
    has_input: AtomicBool,
    has_output: AtomicBool,
    received: AtomicU64,
}

impl Meter {
    fn sent(&self, bytes: &[u8]) {
        if !self.has_input.swap(true, Ordering::Relaxed)
            && let Some(mark) = mark_of(bytes)
        {
            self.fleet.command_is(self.host, self.number, kind_of(mark));
        }
        let bytes = bytes.len();
        let waits = self.has_output.swap(false, Ordering::Relaxed);
        self.fleet.count(self.host, |traffic| {
            traffic.sent += bytes as u64;
            traffic.round_trips += u64::from(waits);
        });
    }

    /// Returns whether a fault wants the connection to break now.
    fn received(&self, bytes: usize) -> bool {
        if bytes > 0 {
            self.has_output.store(true, Ordering::Relaxed);
        }
        let all = self.received.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        self.fleet
            .count(self.host, |traffic| traffic.received += bytes as u64);
        self.fleet.cuts_after(self.host, self.number, all)
    }
}

/// An end of a pipe that is gone when its connection is.
struct Line<T> {
    inner: Option<T>,
    cut: Cut,
    meter: Arc<Meter>,
    bandwidth: u64,
    /// Bytes whose time was not waited for yet.
    owed: u64,
    delay: Option<Pin<Box<Sleep>>>,
}

impl<T> Line<T> {
    fn new(inner: T, cut: &Cut, meter: &Arc<Meter>, link: Link) -> Self {
        Self {
            inner: Some(inner),
            cut: cut.clone(),
            meter: Arc::clone(meter),
            bandwidth: link.bandwidth.max(1),
            owed: 0,
            delay: None,
        }
    }

    /// Waits for the time that bytes take; small ones are not worth it.
    fn poll_delay(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(delay) = &mut self.delay {
            if delay.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.delay = None;
        }
        Poll::Ready(())
    }

    fn owe(&mut self, bytes: usize) {
        self.owed += bytes as u64;
        let time = Duration::from_secs_f64(self.owed as f64 / self.bandwidth as f64);
        if time >= Duration::from_millis(5) {
            self.owed = 0;
            self.delay = Some(Box::pin(tokio::time::sleep(time)));
        }
    }
}

impl AsyncRead for Line<Reader> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let line = &mut *self;
        if line.cut.poll(context) {
            line.inner = None;
        }
        if line.poll_delay(context).is_pending() {
            return Poll::Pending;
        }
        let Some(inner) = &mut line.inner else {
            return Poll::Ready(Ok(()));
        };
        let before = buffer.filled().len();
        let polled = Pin::new(inner).poll_read(context, buffer);
        if polled.is_ready() {
            let bytes = buffer.filled().len() - before;
            line.owe(bytes);
            if line.meter.received(bytes) {
                line.cut.cut();
            }
        }
        polled
    }
}

impl AsyncWrite for Line<Writer> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let line = &mut *self;
        if line.cut.poll(context) {
            line.inner = None;
        }
        if line.poll_delay(context).is_pending() {
            return Poll::Pending;
        }
        let Some(inner) = &mut line.inner else {
            return Poll::Ready(Err(std::io::ErrorKind::BrokenPipe.into()));
        };
        let polled = Pin::new(inner).poll_write(context, bytes);
        if let Poll::Ready(Ok(written)) = &polled {
            line.owe(*written);
            line.meter.sent(&bytes[..*written]);
        }
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.inner = None;
        Poll::Ready(Ok(()))
    }
}
