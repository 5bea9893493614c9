//! The socket that steers a fleet: a request is a line of JSON, an answer is frames.
//!
//! A frame is a byte that says what it is, four bytes with the length of the rest, and the rest.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

/// How long a request may be.
const LONGEST_REQUEST: u64 = 1 << 20;
/// How long a frame may be.
const LONGEST_FRAME: u32 = 64 << 20;

/// What is asked for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum Request {
    /// A command is run as root.
    Exec {
        /// Where.
        host: String,
        /// The command.
        words: Vec<String>,
    },
    /// Something goes wrong.
    Inject {
        /// The event, as a scenario has it.
        event: serde_json::Value,
    },
    /// What is known of hosts is told.
    Inspect {
        /// Of which; of all without.
        host: Option<String>,
    },
    /// The doors are closed.
    Down,
}

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    /// What a command says on standard output.
    Out(Vec<u8>),
    /// What a command says on standard error.
    Err(Vec<u8>),
    /// What is told, as JSON.
    Told(Vec<u8>),
    /// It cannot be done; the last frame.
    Refused(String),
    /// It is done, with this status; the last frame.
    Done(u8),
}

impl Frame {
    fn bytes(&self) -> Vec<u8> {
        let (kind, rest) = match self {
            Self::Out(bytes) => (1, bytes.as_slice()),
            Self::Err(bytes) => (2, bytes.as_slice()),
            Self::Told(bytes) => (3, bytes.as_slice()),
            Self::Refused(text) => (4, text.as_bytes()),
            Self::Done(status) => (5, std::slice::from_ref(status)),
        };
        let mut all = vec![kind];
        all.extend(u32::try_from(rest.len()).unwrap_or(u32::MAX).to_be_bytes());
        all.extend_from_slice(rest);
        all
    }

    fn parse(kind: u8, rest: Vec<u8>) -> io::Result<Self> {
        Ok(match kind {
            1 => Self::Out(rest),
            2 => Self::Err(rest),
            3 => Self::Told(rest),
            4 => Self::Refused(String::from_utf8_lossy(&rest).into_owned()),
            5 => Self::Done(rest.first().copied().unwrap_or_default()),
            _ => return Err(io::Error::other("an answer that makes no sense")),
        })
    }
}

/// Sends a part of an answer.
///
/// # Errors
///
/// Fails where nobody listens any more.
pub(crate) async fn send(stream: &mut UnixStream, frame: &Frame) -> io::Result<()> {
    stream.write_all(&frame.bytes()).await
}

/// Reads a request.
///
/// # Errors
///
/// Fails where it is none.
pub(crate) async fn receive(stream: &mut UnixStream) -> io::Result<Request> {
    let mut line = String::new();
    let limited = stream.take(LONGEST_REQUEST);
    BufReader::new(limited).read_line(&mut line).await?;
    serde_json::from_str(&line).map_err(io::Error::other)
}

/// A request on its way.
pub(crate) struct Call(UnixStream);

impl Call {
    /// Asks a fleet.
    ///
    /// # Errors
    ///
    /// Fails where there is none.
    pub(crate) async fn make(socket: &Path, request: &Request) -> io::Result<Self> {
        let mut stream = UnixStream::connect(socket).await?;
        let mut line = serde_json::to_string(request).map_err(io::Error::other)?;
        line.push('\n');
        stream.write_all(line.as_bytes()).await?;
        Ok(Self(stream))
    }

    /// Returns the next part of the answer.
    ///
    /// # Errors
    ///
    /// Fails where the fleet is gone before the end.
    pub(crate) async fn next(&mut self) -> io::Result<Frame> {
        let kind = self.0.read_u8().await?;
        let length = self.0.read_u32().await?;
        if length > LONGEST_FRAME {
            return Err(io::Error::other("an answer that is too long"));
        }
        let mut rest = vec![0; length as usize];
        self.0.read_exact(&mut rest).await?;
        Frame::parse(kind, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_and_requests_arrive_as_they_were_sent() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let frames = [
            Frame::Out(vec![0, 255]),
            Frame::Err(b"no".to_vec()),
            Frame::Told(b"{}".to_vec()),
            Frame::Refused("why".to_owned()),
            Frame::Done(3),
        ];
        let sent = frames.clone();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let request = receive(&mut stream).await.unwrap();
            for frame in &sent {
                send(&mut stream, frame).await.unwrap();
            }
            request
        });

        let request = Request::Inspect {
            host: Some("m1".to_owned()),
        };
        let mut call = Call::make(&path, &request).await.unwrap();
        for frame in frames {
            assert_eq!(call.next().await.unwrap(), frame);
        }
        let asked = server.await.unwrap();
        assert!(matches!(asked, Request::Inspect { host: Some(host) } if host == "m1"));
    }
}
