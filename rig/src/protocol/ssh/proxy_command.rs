//! ProxyCommand: a program of the user that leads to the host.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use crate::connection::ConnectError;

/// How much of what the program complains of is kept.
const COMPLAINT: usize = 4 << 10;

/// A running program; dropping it ends the program.
pub(super) struct ProxyCommand {
    stdin: ChildStdin,
    stdout: ChildStdout,
    _child: Child,
}

/// What a program has complained of so far.
#[derive(Clone, Default)]
pub(super) struct Complaint(Arc<Mutex<Vec<u8>>>);

impl Complaint {
    /// Returns the last line, where there is one.
    pub(super) fn last_line(&self) -> Option<String> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&bytes);
        let last = text.lines().rfind(|line| !line.trim().is_empty());
        last.map(|line| crate::observer::printable(line.trim()).to_string())
    }

    fn add(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(bytes);
        let surplus = kept.len().saturating_sub(COMPLAINT);
        kept.drain(..surplus);
    }
}

/// Starts a program whose standard streams lead to `target`.
///
/// # Errors
///
/// Fails where it cannot be started.
pub(super) fn start(
    command: &str,
    shell: Option<&str>,
    target: &str,
) -> Result<(ProxyCommand, Complaint), ConnectError> {
    let failed = |reason: String| ConnectError::ProxyCommand {
        target: target.to_owned(),
        reason,
    };
    // As ssh does: the user's shell, which gives way to the program.
    let mut child = Command::new(shell.unwrap_or("/bin/sh"))
        .arg("-c")
        .arg(format!("exec {command}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C on the terminal is ours to handle, not the program's.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let missing = || failed("a stream is missing".to_owned());
    let stdin = child.stdin.take().ok_or_else(missing)?;
    let stdout = child.stdout.take().ok_or_else(missing)?;
    let stderr = child.stderr.take().ok_or_else(missing)?;
    let complaint = Complaint::default();
    tokio::spawn(listen(stderr, complaint.clone()));
    let command = ProxyCommand {
        stdin,
        stdout,
        _child: child,
    };
    Ok((command, complaint))
}

/// Keeps what the program complains of, until it ends.
async fn listen(mut stderr: ChildStderr, complaint: Complaint) {
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        complaint.add(&buffer[..read]);
    }
}

impl AsyncRead for ProxyCommand {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stdout).poll_read(context, buffer)
    }
}

impl AsyncWrite for ProxyCommand {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stdin).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stdin).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stdin).poll_shutdown(context)
    }
}
