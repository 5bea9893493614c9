//! What is said to a master over its socket: `PROTOCOL.mux` of OpenSSH, in version 4, which every
//! OpenSSH since 5.9 speaks.
//!
//! The program `ssh` would say the same for us, one process for each command. It would also
//! connect by itself where the master refuses a session, tell a lost connection and a status of
//! 255 with the same number, and print its own words among those of the remote command.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

use super::pty::{self, Pty, Resize};
use crate::connection::Terminal;
use crate::retry::Backoff;

/// The version of the protocol that is spoken.
const VERSION: u32 = 4;
/// No escape character: bytes are bytes.
const NO_ESCAPE: u32 = u32::MAX;
/// The longest packet that a master sends; a longer one is none.
const LONGEST: u32 = 256 << 10;
/// How long a master that has much to do may take to accept one more client.
const ACCEPTING: Duration = Duration::from_secs(10);
/// How long a master is given to answer what it need not ask the host about.
const ANSWERING: Duration = Duration::from_secs(10);
/// How long the host is given to open a session. Keep-alives of `ssh` are usually faster.
const OPENING: Duration = Duration::from_secs(90);

const HELLO: u32 = 0x0000_0001;
const NEW_SESSION: u32 = 0x1000_0002;
const ALIVE_CHECK: u32 = 0x1000_0004;
const TERMINATE: u32 = 0x1000_0005;
const NEW_STDIO_FORWARD: u32 = 0x1000_0008;

/// Why a master did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(super) enum MuxError {
    /// It is not there, or ended in the middle.
    #[error("the master of `ssh` is gone")]
    Gone(#[source] io::Error),
    /// It, or the host behind it, said no.
    #[error("{0}")]
    Refused(String),
    /// It speaks another version.
    #[error("the master of `ssh` speaks version {0} of its protocol")]
    Version(u32),
    /// The pipes for a process could not be made.
    #[error("cannot make pipes")]
    Pipes(#[source] io::Error),
}

/// What a master says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Hello(u32),
    Ok,
    Refused(String),
    Exited(u32),
    /// It answers; its process id.
    Alive(u32),
    Opened,
    /// Something that we need not know.
    Other,
}

/// A message, as it is written down.
struct Packet(Vec<u8>);

impl Packet {
    fn new(kind: u32) -> Self {
        Self(vec![0; 4]).number(kind)
    }

    fn number(mut self, number: u32) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    fn text(self, text: &str) -> Self {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let mut packet = self.number(length);
        packet.0.extend_from_slice(text.as_bytes());
        packet
    }

    fn finish(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len() - 4).unwrap_or(u32::MAX);
        self.0[..4].copy_from_slice(&length.to_be_bytes());
        self.0
    }
}

/// Reads a message; its length is gone already.
fn parse(bytes: &[u8]) -> Option<Answer> {
    let mut rest = bytes;
    let mut number = || -> Option<u32> {
        let (first, after) = rest.split_first_chunk::<4>()?;
        rest = after;
        Some(u32::from_be_bytes(*first))
    };
    Some(match number()? {
        HELLO => Answer::Hello(number()?),
        0x8000_0001 => Answer::Ok,
        0x8000_0002 | 0x8000_0003 => {
            let (_request, length) = (number()?, number()?);
            let text = rest.get(..usize::try_from(length).ok()?)?;
            Answer::Refused(String::from_utf8_lossy(text).trim().to_owned())
        }
        0x8000_0004 => {
            let (_session, status) = (number()?, number()?);
            Answer::Exited(status)
        }
        0x8000_0005 => {
            let (_request, process) = (number()?, number()?);
            Answer::Alive(process)
        }
        0x8000_0006 => Answer::Opened,
        _ => Answer::Other,
    })
}

/// A conversation with a master; what it is about ends with it.
pub(super) struct Talk {
    stream: UnixStream,
}

impl Talk {
    /// Begins a conversation.
    async fn begin(socket: &Path) -> Result<Self, MuxError> {
        let mut talk = Self {
            stream: connect(socket).await.map_err(MuxError::Gone)?,
        };
        let greeting = Packet::new(HELLO).number(VERSION).finish();
        let greet = async {
            talk.send(&greeting).await?;
            talk.answer().await
        };
        match bounded(ANSWERING, greet).await? {
            Answer::Hello(VERSION) => Ok(talk),
            Answer::Hello(other) => Err(MuxError::Version(other)),
            _ => Err(MuxError::Gone(io::Error::other("it does not greet"))),
        }
    }

    async fn send(&mut self, packet: &[u8]) -> Result<(), MuxError> {
        self.stream.write_all(packet).await.map_err(MuxError::Gone)
    }

    /// Hands over a file, with the one byte that has to go with it.
    async fn hand_over(&self, file: BorrowedFd<'_>) -> Result<(), MuxError> {
        let send = || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            let files = [file];
            // There is room for exactly one.
            control.push(SendAncillaryMessage::ScmRights(&files));
            let byte = [IoSlice::new(&[0])];
            let sent = rustix::net::sendmsg(&self.stream, &byte, &mut control, SendFlags::empty());
            sent.map(drop).map_err(io::Error::from)
        };
        self.stream
            .async_io(Interest::WRITABLE, send)
            .await
            .map_err(MuxError::Gone)
    }

    async fn answer(&mut self) -> Result<Answer, MuxError> {
        let length = self.stream.read_u32().await.map_err(MuxError::Gone)?;
        if length > LONGEST {
            return Err(MuxError::Gone(io::Error::other("its answer is too long")));
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        let read = self.stream.read_exact(&mut bytes).await;
        read.map_err(MuxError::Gone)?;
        parse(&bytes).ok_or_else(|| MuxError::Gone(io::Error::other("its answer is cut off")))
    }

    /// Waits for the answer that says whether something was opened.
    async fn opened(&mut self) -> Result<(), MuxError> {
        loop {
            match self.answer().await? {
                Answer::Opened => return Ok(()),
                Answer::Refused(reason) => return Err(MuxError::Refused(reason)),
                _ => {}
            }
        }
    }

    /// Waits until what was opened is over, outputs included; returns the exit status, where the
    /// host sent one.
    pub(super) async fn ended(&mut self) -> Option<u32> {
        let mut status = None;
        loop {
            match self.answer().await {
                Ok(Answer::Exited(code)) => status = Some(code),
                Ok(_) => {}
                // The end of the conversation is the end of the session.
                Err(_) => return status,
            }
        }
    }
}

/// A process of the host, with our ends of its pipes.
pub(super) struct Session {
    pub(super) talk: Talk,
    pub(super) stdin: pipe::Sender,
    pub(super) stdout: pipe::Receiver,
    pub(super) stderr: pipe::Receiver,
}

/// Starts a process: `line` is given to the login shell of the host.
pub(super) async fn start_session(
    socket: &Path,
    line: &str,
    environment: &[String],
) -> Result<Session, MuxError> {
    let mut talk = Talk::begin(socket).await?;
    let (stdin, their_stdin) = input()?;
    let (their_stdout, stdout) = output()?;
    let (their_stderr, stderr) = output()?;
    let request = new_session(line, environment, None);
    let open = async {
        talk.send(&request).await?;
        for file in [&their_stdin, &their_stdout, &their_stderr] {
            talk.hand_over(file.as_fd()).await?;
        }
        talk.opened().await
    };
    bounded(OPENING, open).await?;
    Ok(Session {
        talk,
        stdin,
        stdout,
        stderr,
    })
}

/// A process of the host in a terminal, with our ends of it.
pub(super) struct TerminalSession {
    pub(super) talk: Talk,
    pub(super) stdin: pipe::Sender,
    pub(super) stdout: pty::Output,
    pub(super) resize: Resize,
}

/// Starts a process in a terminal; without a line it is the login shell.
pub(super) async fn start_in_terminal(
    socket: &Path,
    line: Option<&str>,
    environment: &[String],
    terminal: &Terminal,
) -> Result<TerminalSession, MuxError> {
    let mut talk = Talk::begin(socket).await?;
    let size = *terminal.size.borrow();
    let pty = Pty::open(size).map_err(MuxError::Pipes)?;
    let request = new_session(line.unwrap_or_default(), environment, Some(&terminal.kind));
    let open = async {
        talk.send(&request).await?;
        for _stream in 0..3 {
            talk.hand_over(pty.theirs().as_fd()).await?;
        }
        talk.opened().await
    };
    bounded(OPENING, open).await?;
    let (stdin, stdout, resize) = pty.into_streams().map_err(MuxError::Pipes)?;
    Ok(TerminalSession {
        talk,
        stdin,
        stdout,
        resize,
    })
}

fn new_session(line: &str, environment: &[String], terminal: Option<&str>) -> Vec<u8> {
    let mut packet = Packet::new(NEW_SESSION)
        .number(1)
        .text("")
        .number(u32::from(terminal.is_some()))
        // No X11, no agent, no subsystem.
        .number(0)
        .number(0)
        .number(0)
        .number(NO_ESCAPE)
        .text(terminal.unwrap_or_default())
        .text(line);
    for variable in environment {
        packet = packet.text(variable);
    }
    packet.finish()
}

/// A stream to an address behind the host, with our ends of its pipes.
pub(super) struct Forward {
    pub(super) talk: Talk,
    pub(super) input: pipe::Sender,
    pub(super) output: pipe::Receiver,
}

/// Opens a stream to `host:port` as the host itself would.
pub(super) async fn start_forward(
    socket: &Path,
    host: &str,
    port: u16,
) -> Result<Forward, MuxError> {
    let mut talk = Talk::begin(socket).await?;
    let (input, their_input) = input()?;
    let (their_output, output) = output()?;
    let request = Packet::new(NEW_STDIO_FORWARD)
        .number(1)
        .text("")
        .text(host)
        .number(u32::from(port))
        .finish();
    let open = async {
        talk.send(&request).await?;
        for file in [&their_input, &their_output] {
            talk.hand_over(file.as_fd()).await?;
        }
        talk.opened().await
    };
    bounded(OPENING, open).await?;
    Ok(Forward {
        talk,
        input,
        output,
    })
}

/// Returns the process id of a master that answers.
pub(super) async fn process_of(socket: &Path) -> Option<u32> {
    let request = Packet::new(ALIVE_CHECK).number(1).finish();
    let ask = async {
        let mut talk = Talk::begin(socket).await?;
        talk.send(&request).await?;
        talk.answer().await
    };
    match bounded(ANSWERING, ask).await {
        Ok(Answer::Alive(process)) => Some(process),
        Ok(_) | Err(_) => None,
    }
}

/// Asks a master to end.
pub(super) async fn terminate(socket: &Path) -> Result<(), MuxError> {
    let request = Packet::new(TERMINATE).number(1).finish();
    let ask = async {
        let mut talk = Talk::begin(socket).await?;
        talk.send(&request).await?;
        talk.answer().await
    };
    bounded(ANSWERING, ask).await.map(drop)
}

async fn bounded<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, MuxError>>,
) -> Result<T, MuxError> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(elapsed) => Err(MuxError::Gone(io::Error::new(
            io::ErrorKind::TimedOut,
            elapsed,
        ))),
    }
}

/// Connects to a socket. A master that has not accepted all others yet is asked again.
async fn connect(socket: &Path) -> io::Result<UnixStream> {
    let tries = Backoff {
        first: Duration::from_millis(2),
        longest: Duration::from_millis(100),
        deadline: ACCEPTING,
    };
    let is_full = |error: &io::Error| error.kind() == io::ErrorKind::WouldBlock;
    let connect = || UnixStream::connect(socket);
    tries.retry(connect, is_full, |_, _, _| {}).await
}

/// Makes a pipe that we write to, and the master reads from.
fn input() -> Result<(pipe::Sender, OwnedFd), MuxError> {
    let (ours, theirs) = pipe::pipe().map_err(MuxError::Pipes)?;
    let theirs = theirs.into_blocking_fd().map_err(MuxError::Pipes)?;
    Ok((ours, theirs))
}

/// Makes a pipe that the master writes to, and we read from.
fn output() -> Result<(OwnedFd, pipe::Receiver), MuxError> {
    let (theirs, ours) = pipe::pipe().map_err(MuxError::Pipes)?;
    let theirs = theirs.into_blocking_fd().map_err(MuxError::Pipes)?;
    Ok((theirs, ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_asked_for_as_the_protocol_says() {
        let packet = new_session("true", &["A=b".to_owned()], None);

        let mut expected = vec![0, 0, 0, 51];
        expected.extend([0x10, 0, 0, 2]);
        expected.extend([0, 0, 0, 1, 0, 0, 0, 0]);
        expected.extend([0; 16]);
        expected.extend([0xff; 4]);
        expected.extend([0, 0, 0, 0]);
        expected.extend(b"\0\0\0\x04true\0\0\0\x03A=b");
        assert_eq!(packet, expected);
    }

    #[test]
    fn answers_are_read_and_cut_ones_are_none() {
        let refused = Packet::new(0x8000_0003).number(1).text("no more").finish();
        let cases = [
            (
                Packet::new(HELLO).number(4).finish(),
                Some(Answer::Hello(4)),
            ),
            (refused.clone(), Some(Answer::Refused("no more".into()))),
            (
                Packet::new(0x8000_0004).number(7).number(255).finish(),
                Some(Answer::Exited(255)),
            ),
            (
                Packet::new(0x8000_0008).number(7).finish(),
                Some(Answer::Other),
            ),
            (refused[..refused.len() - 1].to_vec(), None),
            (Packet::new(0x8000_0004).number(7).finish(), None),
            (
                Packet::new(0x8000_0005).number(7).number(4321).finish(),
                Some(Answer::Alive(4321)),
            ),
        ];

        for (packet, answer) in cases {
            assert_eq!(parse(&packet[4..]), answer);
        }
        assert_eq!(parse(&[]), None);
    }
}
