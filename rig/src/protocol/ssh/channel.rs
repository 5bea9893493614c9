//! One channel of a connection, as streams with bounded buffers.
//!
//! The protocol library hands the messages of all channels on from one loop: a channel that
//! nobody reads stops all others. So every channel has a task of its own that takes its messages;
//! what it has read and nobody took is bounded.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadBuf};
use tokio::sync::{mpsc, oneshot, watch};

use super::wire::Cut;
use crate::connection::{ByteStream, ConnectionError, ExitStatus, Process, TerminalSize};
use crate::protocol::held::Held;

/// How much of each output is kept for a reader that does not come.
const OUTPUT_BUFFER: usize = 256 << 10;
/// How much of the input is kept before the window of the host counts.
const INPUT_BUFFER: usize = 64 << 10;
/// Number of standard error in the protocol.
const STDERR: u32 = 1;

/// What all channels of a connection know of it.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) closed: AtomicBool,
    channels: AtomicUsize,
    reason: Mutex<Option<String>>,
}

impl Shared {
    /// Takes note of why the connection ended; the first reason is kept.
    pub(super) fn ended(&self, reason: String) {
        self.closed.store(true, Ordering::Release);
        let mut kept = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get_or_insert(reason);
    }

    /// Returns why the connection ended, if it is known.
    pub(super) fn reason(&self) -> Option<String> {
        let kept = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clone()
    }

    pub(super) fn lost(&self) -> ConnectionError {
        ConnectionError::Lost {
            reason: self
                .reason()
                .unwrap_or_else(|| "the connection ended".to_owned()),
        }
    }
}

/// One channel that is open, or about to be.
pub(super) struct Counted(Arc<Shared>);

impl Counted {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        shared.channels.fetch_add(1, Ordering::AcqRel);
        Self(shared)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.channels.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What belongs to a channel as long as it is open.
pub(super) struct Belongings {
    pub(super) counted: Counted,
    pub(super) cut: Arc<Cut>,
    /// How long a reader may hold up the other channels of its connection.
    pub(super) patience: Duration,
}

/// How a channel ended.
enum End {
    /// With the status of the process.
    Exited(ExitStatus),
    /// The host closed it, without a status.
    Closed,
    /// The host did not want to start the process.
    Refused,
    /// The connection is gone.
    Lost,
    /// Its reader held up the others for too long.
    Stalled,
}

/// Makes a process of a channel on which a program was started; in a terminal, it is told of every
/// new size.
pub(super) fn process(
    channel: Channel<Msg>,
    belongings: Belongings,
    sizes: Option<watch::Receiver<TerminalSize>>,
) -> Process {
    let (stdin, stdin_far) = tokio::io::duplex(INPUT_BUFFER);
    let (stdout, stdout_far) = tokio::io::duplex(OUTPUT_BUFFER);
    let (stderr, stderr_far) = tokio::io::duplex(OUTPUT_BUFFER);
    let (hold, released) = mpsc::channel(1);
    let (exited, exit) = oneshot::channel();
    let shared = Arc::clone(&belongings.counted.0);
    tokio::spawn(async move {
        let mut outputs = Outputs {
            stdout: Some(stdout_far),
            stderr: Some(stderr_far),
        };
        let input = Input {
            stdin: stdin_far,
            sizes,
        };
        let end = carry(channel, input, &mut outputs, released, &belongings).await;
        drop(outputs);
        let shared = &belongings.counted.0;
        let result = match end {
            None => return,
            Some(End::Exited(status)) => Ok(status),
            Some(End::Closed) => Err(ConnectionError::Lost {
                reason: "the host closed the channel and did not say how the process ended"
                    .to_owned(),
            }),
            Some(End::Refused) => Err(ConnectionError::ChannelRefused {
                reason: "it does not start commands".to_owned(),
            }),
            Some(End::Lost) => Err(shared.lost()),
            Some(End::Stalled) => Err(stalled()),
        };
        // Who does not want to know how it ended has dropped the other end.
        let _ = exited.send(result);
    });
    let exit_hold = hold.clone();
    let exit = async move {
        let _hold = exit_hold;
        exit.await.unwrap_or_else(|_gone| Err(shared.lost()))
    };
    Process {
        stdin: Box::new(Held::new(stdin, hold.clone())),
        stdout: Box::new(Held::new(stdout, hold.clone())),
        stderr: Box::new(Held::new(stderr, hold)),
        exit: exit.boxed(),
    }
}

/// Makes a stream of a channel that leads to an address.
pub(super) fn stream(channel: Channel<Msg>, belongings: Belongings) -> Box<dyn ByteStream> {
    let (input, input_far) = tokio::io::duplex(INPUT_BUFFER);
    let (output, output_far) = tokio::io::duplex(OUTPUT_BUFFER);
    let (hold, released) = mpsc::channel(1);
    let broken = Arc::new(OnceLock::new());
    let told = Arc::clone(&broken);
    tokio::spawn(async move {
        let mut outputs = Outputs {
            stdout: Some(output_far),
            stderr: None,
        };
        let input = Input {
            stdin: input_far,
            sizes: None,
        };
        let end = carry(channel, input, &mut outputs, released, &belongings).await;
        let error = match end {
            Some(End::Lost) => Some(belongings.counted.0.lost()),
            Some(End::Stalled) => Some(stalled()),
            Some(End::Exited(_) | End::Closed | End::Refused) | None => None,
        };
        if let Some(error) = error {
            // Set once only: here.
            let _ = told.set(error.to_string());
        }
        drop(outputs);
    });
    // The channel is closed once all its parts are dropped.
    let both = tokio::io::join(Output { output, broken }, input);
    Box::new(Held::new(both, hold))
}

fn stalled() -> ConnectionError {
    ConnectionError::Lost {
        reason: "its output was not read, which held up everything else on this connection"
            .to_owned(),
    }
}

struct Outputs {
    stdout: Option<DuplexStream>,
    stderr: Option<DuplexStream>,
}

/// Moves the bytes of a channel until it ends; nothing where its user dropped it.
async fn carry(
    channel: Channel<Msg>,
    input: Input,
    outputs: &mut Outputs,
    mut released: mpsc::Receiver<Infallible>,
    belongings: &Belongings,
) -> Option<End> {
    let (mut read, write) = channel.split();
    let _cut = &belongings.cut;
    // A writer that waits for the window is never woken when the host closes the channel: so it
    // lives no longer than the reader.
    let end = tokio::select! {
        end = receive(&mut read, outputs, belongings) => Some(end),
        () = feed(input, &write) => None,
        _ = released.recv() => None,
    };
    if !matches!(end, Some(End::Exited(_) | End::Closed | End::Lost)) {
        // Best effort: the connection may be gone too.
        let _ = write.close().await;
    }
    end
}

/// What goes to a host on a channel.
struct Input {
    stdin: DuplexStream,
    sizes: Option<watch::Receiver<TerminalSize>>,
}

async fn feed(input: Input, write: &ChannelWriteHalf<Msg>) {
    tokio::join!(feed_bytes(input.stdin, write), async {
        if let Some(sizes) = input.sizes {
            feed_sizes(sizes, write).await;
        }
    });
}

async fn feed_sizes(mut sizes: watch::Receiver<TerminalSize>, write: &ChannelWriteHalf<Msg>) {
    while sizes.changed().await.is_ok() {
        let TerminalSize { columns, rows } = *sizes.borrow_and_update();
        let told = write.window_change(u32::from(columns), u32::from(rows), 0, 0);
        if told.await.is_err() {
            return;
        }
    }
}

async fn feed_bytes(mut stdin: DuplexStream, write: &ChannelWriteHalf<Msg>) {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(32 << 10);
        match stdin.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        if write.data_bytes(buffer.split().freeze()).await.is_err() {
            break;
        }
    }
    // The answer may take long, and of a thousand hosts at the same time.
    drop(buffer);
    // The host's answer, or its silence, is seen by the reader.
    let _ = write.eof().await;
    std::future::pending::<()>().await;
}

async fn receive(
    read: &mut ChannelReadHalf,
    outputs: &mut Outputs,
    belongings: &Belongings,
) -> End {
    let mut status = None;
    loop {
        let delivered = match read.wait().await {
            Some(ChannelMsg::Data { data }) => deliver(&mut outputs.stdout, data, belongings).await,
            Some(ChannelMsg::ExtendedData { data, ext: STDERR }) => {
                deliver(&mut outputs.stderr, data, belongings).await
            }
            Some(ChannelMsg::Eof) => {
                outputs.stdout = None;
                outputs.stderr = None;
                true
            }
            Some(ChannelMsg::ExitStatus { exit_status }) => {
                status = Some(ExitStatus::Code(exit_status));
                true
            }
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                status = Some(ExitStatus::Signal(name(signal_name)));
                true
            }
            Some(ChannelMsg::Failure) => return End::Refused,
            Some(ChannelMsg::Close) => return status.map_or(End::Closed, End::Exited),
            // The status came, only the closing did not.
            None => return status.map_or(End::Lost, End::Exited),
            Some(_) => true,
        };
        if !delivered {
            return End::Stalled;
        }
    }
}

/// Hands bytes on; returns whether that could be done without holding up others for too long.
async fn deliver(
    output: &mut Option<DuplexStream>,
    mut data: Bytes,
    belongings: &Belongings,
) -> bool {
    let channels = &belongings.counted.0.channels;
    while !data.is_empty() {
        let Some(stream) = output.as_mut() else {
            return true;
        };
        match tokio::time::timeout(belongings.patience, stream.write(&data)).await {
            Ok(Ok(length)) => drop(data.split_to(length)),
            // Nobody reads it any more: the rest is thrown away.
            Ok(Err(_)) => *output = None,
            Err(_elapsed) if channels.load(Ordering::Acquire) > 1 => return false,
            Err(_elapsed) => {}
        }
    }
    true
}

fn name(signal: Sig) -> String {
    match signal {
        Sig::Custom(name) => name,
        known => format!("{known:?}"),
    }
}

/// What comes from an address behind the host.
struct Output {
    output: DuplexStream,
    broken: Arc<OnceLock<String>>,
}

impl AsyncRead for Output {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.output).poll_read(context, buffer))?;
        let at_end = buffer.filled().len() == before && buffer.remaining() > 0;
        match this.broken.get() {
            Some(reason) if at_end => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::ConnectionReset,
                reason.clone(),
            ))),
            _ => Poll::Ready(Ok(())),
        }
    }
}
