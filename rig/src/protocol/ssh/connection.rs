//! An open SSH connection: many channels over one session.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use russh::client::{Handle, Msg};
use russh::{Channel, ChannelOpenFailure, Disconnect};
use tokio::sync::oneshot;

use super::channel::{self, Belongings, Counted, Shared};
use super::handshake::Client;
use super::wire::Cut;
use crate::connection::{
    ByteStream, Connection, ConnectionError, Interactive, Process, Terminal, TerminalSize,
};
use crate::passage::Passage;
use crate::protocol::target;

/// How long the host is given to take our good-bye.
const GOOD_BYE: Duration = Duration::from_secs(1);

/// An open SSH connection.
pub(super) struct SshConnection {
    handle: Arc<Handle<Client>>,
    shared: Arc<Shared>,
    cut: Arc<Cut>,
    patience: Duration,
    passage: Passage,
}

/// Why a stream from the host was not opened.
#[derive(Debug)]
pub(super) enum DialFault {
    /// The host may not do that for us.
    Forbidden(String),
    /// The host has no room for one more channel.
    Full,
    /// The host cannot connect to the address.
    Failed(String),
    /// The connection to the host is lost.
    Lost(String),
}

/// What a channel is for.
enum Purpose {
    Session,
    Dial(String, u16),
}

impl SshConnection {
    pub(super) fn new(
        handle: Handle<Client>,
        shared: Arc<Shared>,
        cut: Cut,
        patience: Duration,
        passage: Passage,
    ) -> Self {
        Self {
            handle: Arc::new(handle),
            shared,
            cut: Arc::new(cut),
            patience,
            passage,
        }
    }

    /// Takes note of the hosts that it goes through.
    pub(super) fn led_through(mut self, through: Vec<String>) -> Self {
        self.passage.through = through;
        self
    }

    /// Opens a stream to an address as the host itself would.
    pub(super) async fn dial_from(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Box<dyn ByteStream>, DialFault> {
        let belongings = self.belongings();
        let failure = match self.open(Purpose::Dial(host.to_owned(), port)).await {
            Ok(channel) => return Ok(channel::stream(channel, belongings)),
            Err(russh::Error::ChannelOpenFailure(failure)) => failure,
            Err(_disconnected) => return Err(DialFault::Lost(self.shared.lost().to_string())),
        };
        let said = describe(&failure);
        Err(match failure {
            ChannelOpenFailure::AdministrativelyProhibited
            | ChannelOpenFailure::UnknownChannelType => DialFault::Forbidden(said),
            ChannelOpenFailure::ResourceShortage => DialFault::Full,
            ChannelOpenFailure::ConnectFailed | ChannelOpenFailure::Other { .. } => {
                DialFault::Failed(said)
            }
        })
    }

    /// Returns whether the connection is there, as far as it is known without a round trip.
    pub(super) fn is_alive(&self) -> bool {
        !self.shared.closed.load(Ordering::Acquire) && !self.handle.is_closed()
    }

    fn belongings(&self) -> Belongings {
        Belongings {
            counted: Counted::new(Arc::clone(&self.shared)),
            cut: Arc::clone(&self.cut),
            patience: self.patience,
        }
    }

    /// Opens a channel for a process.
    async fn session(&self) -> Result<Channel<Msg>, ConnectionError> {
        match self.open(Purpose::Session).await {
            Ok(channel) => Ok(channel),
            Err(russh::Error::ChannelOpenFailure(failure)) => {
                Err(ConnectionError::ChannelRefused {
                    reason: describe(&failure),
                })
            }
            Err(_disconnected) => Err(self.shared.lost()),
        }
    }

    /// Opens a channel. Where nobody waits for it any more when it is there, it is closed again:
    /// a session that nobody knows of would count against the limit of the host.
    async fn open(&self, purpose: Purpose) -> Result<Channel<Msg>, russh::Error> {
        let handle = Arc::clone(&self.handle);
        let (give, take) = oneshot::channel();
        tokio::spawn(async move {
            let opened = match purpose {
                Purpose::Session => handle.channel_open_session().await,
                Purpose::Dial(host, port) => {
                    handle
                        .channel_open_direct_tcpip(host, u32::from(port), "127.0.0.1", 0)
                        .await
                }
            };
            if let Err(Ok(channel)) = give.send(opened) {
                // Best effort: the connection may be gone.
                let _ = channel.close().await;
            }
        });
        take.await.unwrap_or(Err(russh::Error::Disconnect))
    }
}

#[async_trait]
impl Connection for SshConnection {
    async fn exec(&self, line: &str) -> Result<Process, ConnectionError> {
        let belongings = self.belongings();
        let channel = self.session().await?;
        // The answer is not waited for: that would be one more round trip for each command.
        if channel.exec(true, line).await.is_err() {
            return Err(self.shared.lost());
        }
        Ok(channel::process(channel, belongings, None))
    }

    async fn interact(
        &self,
        line: Option<&str>,
        terminal: &Terminal,
    ) -> Result<Interactive, ConnectionError> {
        let belongings = self.belongings();
        let channel = self.session().await?;
        let mut sizes = terminal.size.clone();
        let TerminalSize { columns, rows } = *sizes.borrow_and_update();
        let (columns, rows) = (u32::from(columns), u32::from(rows));
        let opened = async {
            channel
                .request_pty(true, &terminal.kind, columns, rows, 0, 0, &[])
                .await?;
            match line {
                Some(line) => channel.exec(true, line).await,
                None => channel.request_shell(true).await,
            }
        };
        if opened.await.is_err() {
            return Err(self.shared.lost());
        }
        let process = channel::process(channel, belongings, Some(sizes));
        Ok(Interactive::Streams(process))
    }

    async fn dial(&self, host: &str, port: u16) -> Result<Box<dyn ByteStream>, ConnectionError> {
        let refused = |reason| ConnectionError::DialRefused {
            target: target(host, port),
            reason,
        };
        self.dial_from(host, port)
            .await
            .map_err(|fault| match fault {
                DialFault::Forbidden(said) | DialFault::Failed(said) => refused(said),
                DialFault::Full => refused("it is out of resources".to_owned()),
                DialFault::Lost(_) => self.shared.lost(),
            })
    }

    fn is_open(&self) -> bool {
        self.is_alive()
    }

    fn passage(&self) -> Passage {
        self.passage.clone()
    }

    async fn close(&self) {
        self.shared.ended("it was closed here".to_owned());
        let good_bye = self.handle.disconnect(Disconnect::ByApplication, "", "");
        // What does not come through is cut when the last channel is gone.
        let _ = tokio::time::timeout(GOOD_BYE, good_bye).await;
    }
}

fn describe(failure: &ChannelOpenFailure) -> String {
    match failure {
        ChannelOpenFailure::AdministrativelyProhibited => "it is not allowed".to_owned(),
        ChannelOpenFailure::ConnectFailed => "connecting failed".to_owned(),
        ChannelOpenFailure::UnknownChannelType => "it does not know such channels".to_owned(),
        ChannelOpenFailure::ResourceShortage => "it is out of resources".to_owned(),
        ChannelOpenFailure::Other { code, reason } => format!("{reason} (code {code})"),
    }
}
