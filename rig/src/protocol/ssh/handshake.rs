//! The handshake over a stream, up to the check of the host key.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use russh::client::{self, DisconnectReason, Handle, Session};
use russh::keys::{PublicKey, PublicKeyOrCertificate};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::algorithms::Algorithms;
use super::channel::Shared;
use super::host_key::{Accepted, HostKeyCheck};
use super::wire::{Cut, Wire};
use crate::connection::{ByteStream, ConnectError};
use crate::observer::printable;

/// How many messages of a channel wait for its task; one holds 32 KiB at most.
const CHANNEL_MESSAGES: usize = 32;
/// How much of what the host says first is kept.
const FIRST_WORDS: usize = 256;
/// What an sshd says instead of its name when it has enough of new connections.
const BUSY: [&str; 2] = ["Exceeded MaxStartups", "Not allowed at this time"];

/// Why the handshake failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The protocol failed.
    #[error(transparent)]
    Protocol(#[from] russh::Error),
    /// The host key was not accepted.
    #[error(transparent)]
    HostKey(Box<ConnectError>),
}

/// Our side of the protocol.
pub(super) struct Client {
    check: HostKeyCheck,
    /// The first key that was accepted; a later exchange of keys has to show the same host.
    accepted: Arc<OnceLock<Accepted>>,
    shared: Arc<Shared>,
    is_beyond: bool,
}

impl client::Handler for Client {
    type Error = Failure;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let accepted = self
            .check
            .verify(key)
            .map_err(|error| Failure::HostKey(Box::new(error)))?;
        self.accepted.get_or_init(|| accepted);
        Ok(true)
    }

    /// sshd tells its keys right after a login, and holds back what it says next until that has
    /// been acknowledged. Beyond a bastion that is up to the bastion, which puts it off for 40 ms
    /// where it has nothing to send (see [`super::prompt`]): so it gets something.
    async fn openssh_ext_host_keys_announced(
        &mut self,
        _: Vec<PublicKey>,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.is_beyond {
            session.send_keepalive(true)?;
        }
        Ok(())
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<Self::Error>,
    ) -> Result<(), Self::Error> {
        let text = match &reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                format!("the host ended it: {}", info.message.trim())
            }
            DisconnectReason::Error(Failure::Protocol(error)) => explain(error),
            DisconnectReason::Error(error @ Failure::HostKey(_)) => error.to_string(),
        };
        self.shared.ended(text);
        Ok(())
    }
}

/// A connection whose host key is accepted, and that has not logged in.
pub(super) struct Greeted {
    pub(super) handle: Handle<Client>,
    pub(super) shared: Arc<Shared>,
    pub(super) cut: Cut,
    /// The key of the host.
    pub(super) host_key: Option<Accepted>,
}

/// How a connection is to be set up.
pub(super) struct Manners<'a> {
    pub(super) target: &'a str,
    pub(super) algorithms: &'a Algorithms,
    /// How long the handshake may take.
    pub(super) limit: Duration,
    /// The pause before the host is asked whether it is there; nothing for never.
    pub(super) keep_alive: Option<Duration>,
    /// How many questions may stay without an answer.
    pub(super) missed: u32,
    /// How long a write may make no progress.
    pub(super) patience: Duration,
    /// Whether the TCP connection to the server is not ours but that of a host in between.
    pub(super) is_beyond: bool,
}

/// Speaks SSH over `stream` until the keys are exchanged and the host key is accepted.
pub(super) async fn greet(
    stream: Box<dyn ByteStream>,
    check: HostKeyCheck,
    manners: &Manners<'_>,
) -> Result<Greeted, ConnectError> {
    let heard = Heard::default();
    let stream = Listener {
        stream,
        heard: heard.clone(),
    };
    let (wire, cut) = Wire::new(stream, manners.patience);
    let shared = Arc::new(Shared::default());
    let config = client::Config {
        preferred: manners.algorithms.preferred(check.kinds()),
        keepalive_interval: manners.keep_alive,
        keepalive_max: manners.missed as usize,
        channel_buffer_size: CHANNEL_MESSAGES,
        ..client::Config::default()
    };
    let accepted = Arc::new(OnceLock::new());
    let client = Client {
        check,
        accepted: Arc::clone(&accepted),
        shared: Arc::clone(&shared),
        is_beyond: manners.is_beyond,
    };
    let speaking = client::connect_stream(Arc::new(config), wire, client);
    let target = manners.target.to_owned();
    let limit = manners.limit;
    match tokio::time::timeout(limit, speaking).await {
        Ok(Ok(handle)) => Ok(Greeted {
            handle,
            shared,
            cut,
            host_key: accepted.get().cloned(),
        }),
        Ok(Err(Failure::HostKey(error))) => Err(*error),
        Ok(Err(Failure::Protocol(error))) => Err(classify(error, target, &heard, &shared)),
        Err(_elapsed) => Err(match heard.first() {
            Some(words) if words.is_ssh => ConnectError::TimedOut {
                target,
                stage: "the SSH handshake",
                limit,
            },
            Some(words) => ConnectError::NotSsh {
                target,
                said: words.text,
            },
            None => ConnectError::NoBanner { target, limit },
        }),
    }
}

fn classify(error: russh::Error, target: String, heard: &Heard, shared: &Shared) -> ConnectError {
    if let russh::Error::NoCommonAlgo { kind, ours, theirs } = error {
        return ConnectError::NoCommonAlgorithm {
            target,
            what: kind_of(&kind),
            ours,
            theirs,
        };
    }
    let first = heard.first().filter(|words| !words.is_ssh);
    match first {
        Some(words) if BUSY.iter().any(|busy| words.text.starts_with(busy)) => {
            let reason = format!("it says `{}`", words.text);
            ConnectError::ResetBeforeAuth { target, reason }
        }
        Some(words) => ConnectError::NotSsh {
            target,
            said: words.text,
        },
        None if was_closed(&error) => ConnectError::ResetBeforeAuth {
            target,
            reason: shared.reason().unwrap_or_else(|| explain(&error)),
        },
        None => ConnectError::Protocol {
            target,
            reason: explain(&error),
        },
    }
}

fn kind_of(kind: &russh::AlgorithmKind) -> &'static str {
    match kind {
        russh::AlgorithmKind::Kex => "key exchange",
        russh::AlgorithmKind::Key => "host key",
        russh::AlgorithmKind::Cipher => "cipher",
        russh::AlgorithmKind::Mac => "MAC",
        russh::AlgorithmKind::Compression => "compression",
    }
}

/// What the host said first.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

/// The first words of a host.
struct FirstWords {
    /// Whether it spoke SSH.
    is_ssh: bool,
    /// The first line that says something, as it may be shown.
    text: String,
}

impl Heard {
    fn add(&self, bytes: &[u8]) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = FIRST_WORDS.saturating_sub(heard.len());
        heard.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn first(&self) -> Option<FirstWords> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.is_empty() {
            return None;
        }
        let text = String::from_utf8_lossy(&heard);
        // Other lines may stand before the name of the server.
        let is_ssh = text.lines().any(|line| line.starts_with("SSH-"));
        let line = text.lines().find(|line| !line.trim().is_empty());
        let shown = printable(line.unwrap_or_default());
        Some(FirstWords {
            is_ssh,
            text: shown.chars().take(80).collect(),
        })
    }
}

/// A stream whose first bytes are kept, to say what the other side is.
struct Listener<S> {
    stream: S,
    heard: Heard,
}

impl<S: AsyncRead + Unpin> AsyncRead for Listener<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        this.heard.add(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Listener<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

fn was_closed(error: &russh::Error) -> bool {
    match error {
        russh::Error::Disconnect | russh::Error::HUP => true,
        russh::Error::IO(error) => matches!(
            error.kind(),
            io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof
        ),
        _ => false,
    }
}

fn explain(error: &russh::Error) -> String {
    match error {
        russh::Error::Disconnect | russh::Error::HUP => "it ended without a word".to_owned(),
        russh::Error::KeepaliveTimeout => "the host did not answer any more".to_owned(),
        other => other.to_string(),
    }
}
