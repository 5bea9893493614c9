//! Everything outside of the program, as values: what a test hands in differently.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use report::terminal::Size;
use rig::connection::{TerminalSize, Unprepared};
use rig::{Connector, Endpoint};
use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

/// A stream that several parts of the program write to, one at a time.
#[derive(Clone)]
pub struct Stream {
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
    /// Whether a person sees it.
    pub is_terminal: bool,
    /// Whether it never blocks: then no thread has to write to it.
    pub is_in_memory: bool,
}

impl Stream {
    /// Makes a stream of a writer.
    pub fn new(writer: impl Write + Send + 'static, is_terminal: bool) -> Self {
        Self {
            writer: Arc::new(Mutex::new(Box::new(writer))),
            is_terminal,
            is_in_memory: false,
        }
    }

    /// Returns the same stream for somebody who has no thread to spare: writing may block.
    #[must_use]
    pub fn unblocked(mut self) -> Self {
        self.is_terminal = false;
        self.is_in_memory = true;
        self
    }

    /// Makes a stream of a writer in memory.
    pub fn in_memory(writer: impl Write + Send + 'static) -> Self {
        Self {
            is_in_memory: true,
            ..Self::new(writer, false)
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .flush()
    }
}

/// Keeps what a [`Stream`] is given.
#[derive(Debug, Clone, Default)]
pub struct Recording(Arc<Mutex<Vec<u8>>>);

impl Recording {
    /// Returns what was written so far.
    pub fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Recording {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Asks a person.
pub trait Ask: Send + Sync {
    /// Asks for a secret, without showing what is typed; `None` where nobody can be asked.
    ///
    /// # Errors
    ///
    /// Fails where the terminal does not do its part.
    fn secret(&self, question: &str) -> io::Result<Option<SecretString>>;

    /// Asks for a line of text; `None` where nobody can be asked, or where the input ends.
    ///
    /// # Errors
    ///
    /// Fails where the terminal does not do its part.
    fn line(&self, question: &str) -> io::Result<Option<String>>;
}

/// The terminal of the user, for a host to be given.
pub trait UserTerminal: Send + Sync {
    /// Returns whether what is typed and what is shown is one.
    fn is_there(&self) -> bool;

    /// Returns its size, and every one after.
    ///
    /// # Errors
    ///
    /// Fails where nothing is told of new sizes.
    fn size(&self) -> io::Result<watch::Receiver<TerminalSize>>;

    /// Takes it over: keys come as they are pressed, and nothing is shown but what is written.
    ///
    /// # Errors
    ///
    /// Fails where the terminal does not do its part; then it is as it was.
    fn take_over(&self) -> io::Result<RawTerminal>;
}

/// A terminal that was taken over.
pub struct RawTerminal {
    /// What is typed.
    pub input: Box<dyn AsyncRead + Send + Unpin>,
    /// What is shown.
    pub output: Box<dyn AsyncWrite + Send + Unpin>,
    /// Dropped, it makes the terminal what it was.
    pub give_back: Box<dyn Send>,
}

/// Nobody sits at a terminal.
pub struct NoTerminal;

impl UserTerminal for NoTerminal {
    fn is_there(&self) -> bool {
        false
    }

    fn size(&self) -> io::Result<watch::Receiver<TerminalSize>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn take_over(&self) -> io::Result<RawTerminal> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// How a connector is to be made.
#[derive(Clone)]
pub struct Manner {
    /// Asks the user.
    pub ask: Arc<dyn Ask>,
    /// Whether commands of `Match exec` in ssh_config are run.
    pub allow_match_exec: bool,
}

/// A connector, and what was found while it was made.
pub struct Opened {
    /// Makes the connections.
    pub connector: Arc<dyn Connector>,
    /// Hosts that cannot be connected to, as far as this machine knows.
    pub unprepared: Vec<Unprepared>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// Makes the connector of a run.
#[async_trait]
pub trait Connections: Send + Sync {
    /// Makes a connector for some hosts, and asks for everything that it needs to be told before:
    /// nothing is asked while hosts are worked on.
    async fn open(&self, endpoints: &[Endpoint], manner: Manner) -> Opened;
}

/// Everything outside of the program.
pub struct World {
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// Home directory of the user.
    pub home: Option<PathBuf>,
    /// Current directory.
    pub current_dir: PathBuf,
    /// Standard input.
    pub stdin: Box<dyn Read + Send>,
    /// Standard output: data.
    pub stdout: Stream,
    /// Standard error: talk.
    pub stderr: Stream,
    /// Tells the size of the terminal on stderr.
    pub terminal_size: Arc<dyn Fn() -> Size + Send + Sync>,
    /// Asks the user.
    pub ask: Arc<dyn Ask>,
    /// The terminal of the user.
    pub terminal: Arc<dyn UserTerminal>,
    /// Signals of the operating system, by number.
    pub signals: UnboundedReceiver<i32>,
    /// Tells the time.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Makes the id of a run: eight hexadecimal digits.
    pub run_id: Box<dyn Fn() -> String + Send + Sync>,
    /// How many files may be open at the same time; each connection takes one.
    pub open_files: u64,
    /// `user@machine`.
    pub owner: String,
    /// Makes connections.
    pub connections: Arc<dyn Connections>,
    /// Whether hosts are simulated: then nothing but the directory of the run is written on this
    /// machine, and it is called a rehearsal.
    pub is_rehearsal: bool,
    /// Told of every event of a run, beside the sinks that the run opens.
    pub listeners: Vec<Arc<dyn phase::Sink>>,
}

impl World {
    /// Returns a variable of the environment.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    /// Returns whether a variable says yes. What is neither yes nor no counts as no: other programs
    /// use the same names in other ways (`DEBUG=express:*`).
    pub fn flag(&self, name: &str) -> bool {
        self.var(name)
            .is_some_and(|text| matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True"))
    }

    /// Prints a message on stderr.
    pub fn say(&mut self, text: &str) {
        // There is nobody left to tell where stderr cannot be written to.
        let _ = writeln!(self.stderr, "{text}");
        let _ = self.stderr.flush();
    }

    /// Prints data on stdout.
    ///
    /// # Errors
    ///
    /// Fails where stdout cannot be written to; a pipe whose reader has gone is no failure.
    pub fn print(&mut self, text: &str) -> Result<(), crate::error::CliError> {
        let written = self
            .stdout
            .write_all(text.as_bytes())
            .and_then(|()| self.stdout.flush());
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(crate::error::CliError::Local {
                    what: "cannot write to standard output".to_owned(),
                    source: error,
                })
            }
            _ => Ok(()),
        }
    }
}

impl config::World for World {
    fn var(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }

    fn home(&self) -> Option<PathBuf> {
        self.home.clone()
    }

    fn current_dir(&self) -> PathBuf {
        self.current_dir.clone()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        crate::reading::read_file(path, config::LARGEST_FILE)
    }

    fn is_there(&self, path: &Path) -> bool {
        match std::fs::metadata(path) {
            Ok(_) => true,
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }

    fn mode(&self, path: &Path) -> Option<u32> {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = std::fs::metadata(path).ok()?;
        Some(metadata.permissions().mode() & 0o7777)
    }
}
