//! An open connection: processes and streams over a master, or over a master of their own.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::unix::pipe;
use tokio::sync::{Mutex, watch};
use tokio_util::task::AbortOnDropHandle;

use super::master::{Hold, Master};
use super::mux::{self, Forward, MuxError, Session, Talk, TerminalSession};
use super::pty::Resize;
use super::{Inner, Reach, classify};
use crate::connection::{
    ByteStream, ConnectError, Connection, ConnectionError, ExitStatus, Interactive,
    OpenSshEndpoint, Process, Terminal, TerminalSize,
};
use crate::passage::Passage;
use crate::protocol::closing::Closing;
use crate::protocol::held::Held;
use crate::protocol::target;

/// What the log says where a host tells that a signal has ended a process; not which one.
const SIGNALLED: &str = "rtype exit-signal";

/// An open connection.
pub(super) struct OpenSshConnection {
    way: Way,
    environment: Vec<String>,
    passage: Passage,
    is_closed: AtomicBool,
}

/// Where sessions go.
enum Way {
    /// All over one master.
    Shared(Arc<Master>),
    /// Each over a master of its own (`disableMultiplexing`).
    Each {
        inner: Arc<Inner>,
        endpoint: OpenSshEndpoint,
        /// The one that has shown that the host can be reached, until it is used.
        first: Mutex<Option<Arc<Master>>>,
    },
}

impl OpenSshConnection {
    /// Makes a connection of a master that answers.
    pub(super) fn new(
        inner: &Arc<Inner>,
        endpoint: &OpenSshEndpoint,
        reach: &Reach,
        master: Arc<Master>,
    ) -> Self {
        let passage = classify::passage(master.login(), &reach.settings);
        let way = if endpoint.disable_multiplexing {
            Way::Each {
                inner: Arc::clone(inner),
                endpoint: endpoint.clone(),
                first: Mutex::new(Some(master)),
            }
        } else {
            Way::Shared(master)
        };
        Self {
            way,
            environment: reach.settings.environment.clone(),
            passage,
            is_closed: AtomicBool::new(false),
        }
    }

    /// Returns the master for the next session or stream.
    async fn master(&self) -> Result<Hold, ConnectionError> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(ConnectionError::Lost {
                reason: "it was closed here".to_owned(),
            });
        }
        let (inner, endpoint, first) = match &self.way {
            Way::Shared(master) => return Ok(master.hold()),
            Way::Each {
                inner,
                endpoint,
                first,
            } => (inner, endpoint, first),
        };
        let kept = first.lock().await.take();
        if let Some(master) = kept
            && master.is_alive().await
        {
            return Ok(master.hold());
        }
        match inner.open(endpoint).await {
            Ok((_, master)) => Ok(master.hold()),
            // Nothing was started, and asking again may help: as with a refused session.
            Err(error @ ConnectError::ResetBeforeAuth { .. }) => {
                Err(ConnectionError::ChannelRefused {
                    reason: error.to_string(),
                })
            }
            Err(error) => {
                self.is_closed.store(true, Ordering::Release);
                Err(ConnectionError::Lost {
                    reason: error.to_string(),
                })
            }
        }
    }
}

/// Returns the error for something that was not opened.
async fn not_opened(master: &Master, error: MuxError) -> ConnectionError {
    match error {
        MuxError::Refused(reason) => ConnectionError::ChannelRefused { reason },
        MuxError::Gone(_) => ConnectionError::Lost {
            reason: master.why_gone().await,
        },
        MuxError::Pipes(error) => ConnectionError::Spawn(Arc::new(error)),
        MuxError::Version(_) => ConnectionError::Lost {
            reason: error.to_string(),
        },
    }
}

#[async_trait]
impl Connection for OpenSshConnection {
    async fn exec(&self, line: &str) -> Result<Process, ConnectionError> {
        let master = self.master().await?;
        let said = master.log_length();
        let opened = mux::start_session(master.socket(), line, &self.environment).await;
        let Session {
            talk,
            stdin,
            stdout,
            stderr,
        } = match opened {
            Ok(session) => session,
            Err(error) => return Err(not_opened(&master, error).await),
        };
        Ok(Process {
            stdin: Box::new(Closing::new(stdin)),
            stdout: Box::new(stdout),
            stderr: Box::new(stderr),
            exit: ended(talk, master, said).boxed(),
        })
    }

    async fn interact(
        &self,
        line: Option<&str>,
        terminal: &Terminal,
    ) -> Result<Interactive, ConnectionError> {
        let master = self.master().await?;
        let said = master.log_length();
        let (socket, environment) = (master.socket(), self.environment.as_slice());
        let opened = mux::start_in_terminal(socket, line, environment, terminal).await;
        let TerminalSession {
            talk,
            stdin,
            stdout,
            resize,
        } = match opened {
            Ok(session) => session,
            Err(error) => return Err(not_opened(&master, error).await),
        };
        let process = mux::process_of(socket).await;
        let sizes = terminal.size.clone();
        let resizing = AbortOnDropHandle::new(tokio::spawn(tell_sizes(sizes, resize, process)));
        let exit = async move {
            let _resizing = resizing;
            ended(talk, master, said).await
        };
        Ok(Interactive::Streams(Process {
            stdin: Box::new(Closing::new(stdin)),
            stdout: Box::new(stdout),
            stderr: Box::new(tokio::io::empty()),
            exit: exit.boxed(),
        }))
    }

    async fn dial(&self, host: &str, port: u16) -> Result<Box<dyn ByteStream>, ConnectionError> {
        let master = self.master().await?;
        let said = master.log_length();
        match mux::start_forward(master.socket(), host, port).await {
            Ok(forward) => Ok(stream(forward, master)),
            Err(MuxError::Refused(reason)) => {
                let known = super::classify::dial_reason(&master.log_from(said));
                Err(ConnectionError::DialRefused {
                    target: target(host, port),
                    reason: known.unwrap_or(reason),
                })
            }
            Err(error) => Err(not_opened(&master, error).await),
        }
    }

    fn passage(&self) -> Passage {
        self.passage.clone()
    }

    fn is_open(&self) -> bool {
        let is_there = match &self.way {
            Way::Shared(master) => master.is_running(),
            Way::Each { .. } => true,
        };
        is_there && !self.is_closed.load(Ordering::Acquire)
    }

    async fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        match &self.way {
            Way::Shared(master) => master.close().await,
            Way::Each { first, .. } => {
                if let Some(master) = first.lock().await.take() {
                    master.close().await;
                }
            }
        }
    }
}

/// Tells a master of every new size of a terminal.
async fn tell_sizes(
    mut sizes: watch::Receiver<TerminalSize>,
    resize: Resize,
    process: Option<u32>,
) {
    let process = process.and_then(|id| i32::try_from(id).ok());
    let process = process.and_then(Pid::from_raw);
    while sizes.changed().await.is_ok() {
        let size = *sizes.borrow_and_update();
        let told = resize.to(size).is_ok();
        if let Some(process) = process.filter(|_| told) {
            // It looks for itself; one that is gone has no terminal any more.
            let _ = kill_process(process, Signal::WINCH);
        }
    }
}

/// Makes a stream of what a master has opened.
fn stream(forward: Forward, master: Hold) -> Box<dyn ByteStream> {
    let output = Output {
        output: forward.output,
        master: Arc::new(master),
        at_end: None,
    };
    let both = tokio::io::join(output, Closing::new(forward.input));
    // It is open as long as it is talked about.
    Box::new(Held::new(both, forward.talk))
}

/// Waits for the end of a process. `ssh` passes a status on and no signal: an end without a status
/// is a signal where the host says so, and a lost connection where the master is gone.
async fn ended(mut talk: Talk, master: Hold, said: u64) -> Result<ExitStatus, ConnectionError> {
    if let Some(code) = talk.ended().await {
        return Ok(ExitStatus::Code(code));
    }
    if !master.is_alive().await {
        return Err(ConnectionError::Lost {
            reason: master.why_gone().await,
        });
    }
    if master.log_from(said).contains(SIGNALLED) {
        return Ok(ExitStatus::Signal("unknown".to_owned()));
    }
    Err(ConnectionError::Lost {
        reason: "the host closed the channel and did not say how the process ended".to_owned(),
    })
}

/// What comes from an address behind the host.
struct Output {
    output: pipe::Receiver,
    master: Arc<Hold>,
    /// At the end of the output: whether the master still answers.
    at_end: Option<BoxFuture<'static, Result<(), String>>>,
}

impl AsyncRead for Output {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.at_end.is_none() {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut this.output).poll_read(context, buffer))?;
            if buffer.filled().len() > before || buffer.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        // A pipe ends in the same way whether the far end has closed it or the connection broke.
        let master = Arc::clone(&this.master);
        let at_end = this.at_end.get_or_insert_with(|| {
            let ask = async move {
                match master.is_alive().await {
                    true => Ok(()),
                    false => Err(master.why_gone().await),
                }
            };
            ask.boxed()
        });
        let answer = ready!(at_end.as_mut().poll(context));
        this.at_end = Some(std::future::ready(answer.clone()).boxed());
        Poll::Ready(answer.map_err(|reason| {
            io::Error::new(
                io::ErrorKind::ConnectionReset,
                ConnectionError::Lost { reason },
            )
        }))
    }
}
