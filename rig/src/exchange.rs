//! One command on its way: the program goes in, outputs and an exit status come back.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader,
};
use zeroize::Zeroizing;

use crate::command::{Command, Effect};
use crate::connection::{Connection, ConnectionError, ExitStatus, Process};
use crate::host::{CommandError, HostOptions};
use crate::observer::{Observation, Output as Source, printable};
use crate::privilege::Privilege;

/// How many bytes of an output are read at once: a thousand hosts are asked at the same time.
pub(crate) const READ_AT_ONCE: usize = 8 << 10;
/// How much of the end of standard error is kept.
const STDERR_TAIL: usize = 64 << 10;
/// The longest line that is handed on in one piece; a longer one comes in several.
pub(crate) const LINE_PIECE: usize = 1 << 20;
/// How long a process is given to end before its connection is left alone.
const ENDING: Duration = Duration::from_secs(10);

/// What sits at the far end of `exec`, whatever the login shell is.
pub(crate) const LINE: &str = "exec /bin/sh -s";

/// Returns a word that no banner prints. Its first letter tells whoever watches a host what was
/// declared of the command: `r` it only reads, `c` it may change something, `u` it is the user's.
pub(crate) fn mark(command: &Command) -> String {
    let letter = match (command.is_users(), command.effect()) {
        (true, _) => 'u',
        (false, Effect::Read) => 'r',
        (false, Effect::Change) => 'c',
    };
    format!("launchpad-{letter}{:032x}", rand::random::<u128>())
}

/// One command on its way.
pub(crate) struct Exchange<'a> {
    /// Who looks on, and what is hidden from them.
    pub(crate) options: &'a HostOptions,
    /// Its number.
    pub(crate) id: u64,
    /// What is shown of it.
    pub(crate) shown: &'a str,
    /// The word that its program begins with on both outputs.
    pub(crate) mark: &'a str,
    /// The process at the far end.
    pub(crate) remote: Remote,
    /// Whether its output is shown.
    pub(crate) show_output: bool,
}

/// What came back.
pub(crate) struct Talked {
    /// How the process ended.
    pub(crate) status: ExitStatus,
    /// The end of standard error, redacted.
    pub(crate) stderr: String,
    /// What was printed before the program began, redacted.
    pub(crate) greeting: String,
}

impl Exchange<'_> {
    fn lost(&self, source: ConnectionError) -> CommandError {
        CommandError::Connection {
            command: self.shown.to_owned(),
            source,
        }
    }

    /// Sends the program and takes what comes back, to the end.
    ///
    /// # Errors
    ///
    /// Fails where the connection is lost or no shell answers.
    pub(crate) async fn talk(
        &mut self,
        process: Process,
        program: Zeroizing<String>,
        take: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Talked, CommandError> {
        let Process {
            mut stdin,
            stdout,
            stderr,
            exit,
        } = process;
        let redactor = self.options.redactor.clone();
        let observer = Arc::clone(&self.options.observer);
        let (id, mark, show) = (self.id, self.mark, self.show_output);
        let write = async move {
            // The far end may be gone already: then its exit says why, not this.
            let _ = stdin.write_all(program.as_bytes()).await;
            drop(program);
            let _ = stdin.shutdown().await;
            std::future::pending::<()>().await;
        };
        let show_line = |output: Source, line: &[u8]| {
            if show {
                let text = String::from_utf8_lossy(line);
                let line = printable(&redactor.apply(&text));
                observer.observe(Observation::OutputLine { id, output, line });
            }
        };
        let process_id = &mut self.remote.process_id;
        let read_stdout = async {
            let mut reader = BufReader::with_capacity(READ_AT_ONCE, stdout);
            let greeting = match skip_to_mark(&mut reader, mark, process_id).await? {
                Before::Mark(greeting) => greeting,
                Before::End(printed) => return Ok(Err(printed)),
            };
            let mut lines = LinePieces::default();
            loop {
                let chunk = reader.fill_buf().await?;
                if chunk.is_empty() {
                    break;
                }
                take(chunk);
                lines.take(chunk, |line| show_line(Source::Stdout, line));
                let length = chunk.len();
                reader.consume(length);
            }
            lines.finish(|line| show_line(Source::Stdout, line));
            Ok::<_, std::io::Error>(Ok(greeting))
        };
        let read_stderr = async {
            let mut tail = Tail::new(mark);
            let mut lines = LinePieces::default();
            let mut stderr = stderr;
            let mut buffer = vec![0; READ_AT_ONCE / 2];
            loop {
                let length = stderr.read(&mut buffer).await?;
                if length == 0 {
                    break;
                }
                tail.take(&buffer[..length]);
                lines.take(&buffer[..length], |line| {
                    if line != mark.as_bytes() {
                        show_line(Source::Stderr, line);
                    }
                });
            }
            lines.finish(|line| show_line(Source::Stderr, line));
            Ok::<_, std::io::Error>(tail.text())
        };
        let read = async { tokio::try_join!(read_stdout, read_stderr) };
        let read = tokio::select! {
            read = read => read,
            () = write => Err(std::io::Error::other("the writer ended")),
        };
        let status = exit.await;
        let (started, stderr) =
            read.map_err(|error| self.lost(ConnectionError::Io(Arc::new(error))))?;
        let status = status.map_err(|error| self.lost(error))?;
        let stderr = redactor.apply(&stderr).into_owned();
        match started {
            Ok(greeting) => Ok(Talked {
                status,
                stderr,
                greeting: lines_of(&redactor.apply(greeting.trim())),
            }),
            Err(printed) => {
                let printed = printable(&redactor.apply(&format!("{printed} {stderr}")));
                Err(CommandError::NoShell {
                    status,
                    printed: printed.trim().to_owned(),
                })
            }
        }
    }
}

/// Returns lines as they may be shown.
fn lines_of(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(printable).collect();
    lines.join("\n")
}

/// The process group of a command on its host: dropped before it is over, it is ended.
pub(crate) struct Remote {
    connection: Arc<dyn Connection>,
    privilege: Option<Privilege>,
    /// The id of its shell on the host, once that is known.
    pub(crate) process_id: Option<u32>,
    over: bool,
}

impl Remote {
    /// Takes note of a process that is about to start.
    pub(crate) fn new(connection: Arc<dyn Connection>, privilege: Option<Privilege>) -> Self {
        Self {
            connection,
            privilege,
            process_id: None,
            over: false,
        }
    }

    /// Takes note that nothing has to be ended any more.
    pub(crate) fn forget(&mut self) {
        self.over = true;
    }

    /// Ends the process group.
    pub(crate) async fn end(&mut self) {
        self.over = true;
        let Some(process_id) = self.process_id else {
            return;
        };
        end_group(Arc::clone(&self.connection), process_id, self.privilege).await;
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let (Some(process_id), false) = (self.process_id, self.over) else {
            return;
        };
        let (connection, privilege) = (Arc::clone(&self.connection), self.privilege);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(end_group(connection, process_id, privilege));
        }
    }
}

/// Sends TERM to a process group on the host, and KILL where that does not help.
async fn end_group(connection: Arc<dyn Connection>, process_id: u32, privilege: Option<Privilege>) {
    let text = format!(
        "kill -TERM -{process_id} 2>/dev/null || kill -TERM {process_id} 2>/dev/null; n=0; \
         while [ $n -lt 20 ] && kill -0 -{process_id} 2>/dev/null; do n=$((n+1)); sleep 0.25; \
         done; kill -KILL -{process_id} 2>/dev/null; exit 0\n"
    );
    let program = match privilege.and_then(Privilege::wrapper) {
        Some(wrapper) => format!("{wrapper} /bin/sh -c '{text}'\n"),
        None => text,
    };
    let end = async {
        let Ok(mut process) = connection.exec(LINE).await else {
            return;
        };
        let _ = process.stdin.write_all(program.as_bytes()).await;
        let _ = process.stdin.shutdown().await;
        let mut sink = Vec::new();
        let _ = process.stdout.read_to_end(&mut sink).await;
        let _ = process.exit.await;
    };
    // Best effort: the connection may be the very thing that broke.
    let _ = tokio::time::timeout(ENDING, end).await;
}

/// What was printed before the output of a program.
pub(crate) enum Before {
    /// This, and then the mark.
    Mark(String),
    /// This, and the mark never came.
    End(String),
}

/// Reads up to the line that begins with the mark.
pub(crate) async fn skip_to_mark<R: AsyncRead + Unpin>(
    reader: &mut BufReader<R>,
    mark: &str,
    process_id: &mut Option<u32>,
) -> std::io::Result<Before> {
    let mut printed = String::new();
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut *reader).take(LINE_PIECE as u64);
        let length = limited.read_until(b'\n', &mut line).await?;
        let text = String::from_utf8_lossy(&line);
        // A greeting may end without a line feed: the mark then stands at the end of its line.
        if let Some((before, id)) = text.split_once(mark) {
            *process_id = id.trim().parse().ok();
            printed.push_str(before);
            return Ok(Before::Mark(printed));
        }
        if printed.len() < 2000 {
            printed.push_str(&text);
        }
        if length == 0 {
            return Ok(Before::End(printed));
        }
    }
}

/// Cuts a stream of bytes into lines, with a bound on the length of one.
#[derive(Default)]
struct LinePieces {
    rest: Vec<u8>,
}

impl LinePieces {
    fn take(&mut self, bytes: &[u8], mut line: impl FnMut(&[u8])) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let complete = piece.strip_suffix(b"\n");
            let room = (64_usize << 10).saturating_sub(self.rest.len());
            let kept = complete.unwrap_or(piece);
            self.rest.extend_from_slice(&kept[..kept.len().min(room)]);
            if complete.is_some() {
                line(&self.rest);
                self.rest.clear();
            }
        }
    }

    fn finish(&mut self, mut line: impl FnMut(&[u8])) {
        if !self.rest.is_empty() {
            line(&self.rest);
            self.rest.clear();
        }
    }
}

/// The end of standard error, without what came before the mark.
struct Tail<'a> {
    mark: &'a str,
    bytes: std::collections::VecDeque<u8>,
}

impl<'a> Tail<'a> {
    fn new(mark: &'a str) -> Self {
        Self {
            mark,
            bytes: std::collections::VecDeque::new(),
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        let excess = self.bytes.len().saturating_sub(STDERR_TAIL);
        self.bytes.drain(..excess);
    }

    fn text(mut self) -> String {
        let text = String::from_utf8_lossy(self.bytes.make_contiguous()).into_owned();
        match text.split_once(self.mark) {
            Some((_, after)) => after.trim_start_matches(['\r', '\n']).to_owned(),
            None => text,
        }
    }
}
