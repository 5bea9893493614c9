//! ProxyCommand: a program of the user that leads to the host.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::{ChildStderr, Command};
use tokio::sync::watch;

use crate::connection::{ByteStream, ConnectError};
use crate::protocol::held::Held;

/// How much of what the program complains of is kept.
const COMPLAINT: usize = 4 << 10;

/// How long the last words of a program are waited for whose streams have ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What a program complains of.
#[derive(Clone, Default)]
pub(super) struct Complaint(Arc<Heard>);

#[derive(Default)]
struct Heard {
    text: Mutex<Vec<u8>>,
    is_all: watch::Sender<bool>,
}

impl Complaint {
    /// Returns the last line, where there is one, once the program has nothing more to say: it ends
    /// before its words are read.
    pub(super) async fn last_line(&self) -> Option<String> {
        let mut is_all = self.0.is_all.subscribe();
        // One that stays has said by then why.
        let _ = tokio::time::timeout(LAST_WORDS, is_all.wait_for(|is_all| *is_all)).await;
        let bytes = self.0.text.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&bytes);
        let last = text.lines().rfind(|line| !line.trim().is_empty());
        last.map(|line| crate::observer::printable(line.trim()).to_string())
    }

    fn add(&self, bytes: &[u8]) {
        let mut kept = self.0.text.lock().unwrap_or_else(PoisonError::into_inner);
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
) -> Result<(Box<dyn ByteStream>, Complaint), ConnectError> {
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
    // Dropping the stream ends the program.
    let stream = Held::new(tokio::io::join(stdout, stdin), child);
    Ok((Box::new(stream), complaint))
}

/// Keeps what the program complains of, until it ends.
async fn listen(mut stderr: ChildStderr, complaint: Complaint) {
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        complaint.add(&buffer[..read]);
    }
    complaint.0.is_all.send_replace(true);
}
