//! A command whose streams belong to whoever started it: bytes in, bytes out, as they are.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::OwnedSemaphorePermit;
use zeroize::Zeroizing;

use crate::connection::{Connection, ConnectionError, ExitStatus, Process};
use crate::exchange::{Before, READ_AT_ONCE, Remote, skip_to_mark};
use crate::host::CommandError;
use crate::observer::printable;
use crate::privilege::Privilege;
use crate::redact::Redactor;

/// A running command.
///
/// Dropped before its end, it is ended on the host, together with what it has started.
pub struct Attached {
    /// Its standard input; shut down, the command sees the end. Already at its end where the
    /// command was started without one.
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    /// Its standard output.
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    /// Its standard error.
    pub stderr: Box<dyn AsyncRead + Send + Unpin>,
    /// How it ends.
    pub ending: AttachedEnding,
}

/// The end of a running command.
pub struct AttachedEnding {
    exit: futures_util::future::BoxFuture<'static, Result<ExitStatus, ConnectionError>>,
    remote: Remote,
    shown: String,
    _session: Option<OwnedSemaphorePermit>,
}

impl AttachedEnding {
    /// Waits for the end, once; both outputs have to be read to theirs.
    ///
    /// # Errors
    ///
    /// Fails where the connection is lost before the host has told how the command ended.
    pub async fn wait(&mut self) -> Result<ExitStatus, CommandError> {
        let ended = (&mut self.exit).await;
        self.remote.forget();
        ended.map_err(|source| CommandError::Connection {
            command: self.shown.clone(),
            source,
        })
    }

    /// Ends the command: TERM, and KILL where that does not help.
    pub async fn end(&mut self) {
        self.remote.end().await;
    }
}

/// What is started, and where.
pub(crate) struct Start {
    pub(crate) process: Process,
    pub(crate) connection: Arc<dyn Connection>,
    pub(crate) program: Zeroizing<String>,
    pub(crate) mark: String,
    pub(crate) privilege: Option<Privilege>,
    pub(crate) shown: String,
    pub(crate) redactor: Redactor,
    pub(crate) session: Option<OwnedSemaphorePermit>,
    /// Whether the input stays open behind the program.
    pub(crate) has_input: bool,
}

impl Start {
    /// Sends the program, and takes off both outputs what a login shell greets with.
    pub(crate) async fn begin(self) -> Result<Attached, CommandError> {
        let Process {
            mut stdin,
            stdout,
            stderr,
            exit,
        } = self.process;
        let mut stdout = BufReader::with_capacity(READ_AT_ONCE, stdout);
        let mut stderr = BufReader::with_capacity(READ_AT_ONCE / 2, stderr);
        let mut remote = Remote::new(self.connection, self.privilege);
        let program = self.program;
        let has_input = self.has_input;
        let mark = self.mark.as_str();
        let shown = self.shown;
        let lost = |source| CommandError::Connection {
            command: shown.clone(),
            source,
        };
        let begun = async {
            let write = async {
                // The far end may be gone already: then its outputs end, and say why.
                let _ = stdin.write_all(program.as_bytes()).await;
                if has_input {
                    let _ = stdin.flush().await;
                } else {
                    let _ = stdin.shutdown().await;
                }
            };
            let read = async {
                // It is told on standard output.
                let mut nowhere = None;
                tokio::try_join!(
                    skip_to_mark(&mut stdout, mark, &mut remote.process_id),
                    skip_to_mark(&mut stderr, mark, &mut nowhere),
                )
            };
            tokio::join!(write, read).1
        };
        let begun = begun
            .await
            .map_err(|error| lost(ConnectionError::Io(Arc::new(error))))?;
        if !matches!(begun, (Before::Mark(_), Before::Mark(_))) {
            // A connection that broke is told as that, and not as a shell that says nothing.
            let status = exit.await.map_err(lost)?;
            let (Before::Mark(on_stdout) | Before::End(on_stdout)) = begun.0;
            let (Before::Mark(on_stderr) | Before::End(on_stderr)) = begun.1;
            let printed = printable(&self.redactor.apply(&(on_stdout + &on_stderr)));
            return Err(CommandError::NoShell {
                status,
                printed: printed.trim().to_owned(),
            });
        }
        Ok(Attached {
            stdin,
            stdout: Box::new(stdout),
            stderr: Box::new(stderr),
            ending: AttachedEnding {
                exit,
                remote,
                shown,
                _session: self.session,
            },
        })
    }
}
