//! One `ssh` that keeps a connection open, and opens what it is asked for over its socket.

use std::ffi::OsString;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::classify::{self, Words};
use super::directory::Directory;
use super::mux;
use crate::retry::Backoff;

/// How much of what a failed `ssh` has said is looked at.
const LONGEST_WORDS: u64 = 256 << 10;
/// How much the log of a master may grow before it is emptied.
const LONGEST_LOG: u64 = 1 << 20;
/// How long a master is given to end, before each harder way to make it.
const ENDING: Duration = Duration::from_secs(2);
/// The pause between two looks at a socket that is not there yet.
const FIRST_LOOK: Duration = Duration::from_millis(4);
const LATER_LOOKS: Duration = Duration::from_millis(60);

/// What a master is started with.
pub(super) struct Start {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(OsString, OsString)>,
    pub(super) socket: PathBuf,
    pub(super) log: PathBuf,
    pub(super) limit: Duration,
}

/// Why a master did not come to be.
#[derive(Debug)]
pub(super) enum NoMaster {
    /// The program cannot be started.
    Program(io::Error),
    /// It ended; these are its words.
    Ended(Words),
    /// It took too long.
    TimedOut(Words),
}

/// A master that answers; it ends when it is dropped.
#[derive(Debug)]
pub(super) struct Master {
    socket: PathBuf,
    /// Its log; none of one that is not ours.
    log: Option<PathBuf>,
    /// What its log said of the way to the host.
    login: String,
    /// Why it is gone, once it is.
    gone: Option<watch::Receiver<Option<String>>>,
    /// Ends it when it is dropped, too.
    end: Option<mpsc::Sender<()>>,
    /// How many things are open on it.
    open: AtomicUsize,
}

/// Something that is open on a master, and keeps it alive.
#[derive(Debug)]
pub(super) struct Hold(Arc<Master>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}

impl std::ops::Deref for Hold {
    type Target = Master;

    fn deref(&self) -> &Master {
        &self.0
    }
}

impl Master {
    /// Starts a master and waits until it answers.
    pub(super) async fn start(
        start: Start,
        directory: Arc<Directory>,
    ) -> Result<Arc<Self>, NoMaster> {
        let mut running = Running::spawn(&start, directory).map_err(NoMaster::Program)?;
        let is_there = tokio::select! {
            biased;
            _ = running.child.wait() => None,
            is_there = answers(&start.socket, start.limit) => Some(is_there),
        };
        match is_there {
            Some(true) => {}
            None => return Err(NoMaster::Ended(running.words().await)),
            Some(false) => {
                running.end().await;
                return Err(NoMaster::TimedOut(running.words().await));
            }
        }
        // The other words of the login are of no more use.
        let login = classify::words_of_passage(&read(&start.log, 0));
        empty(&start.log, 0);
        let (end, ended) = mpsc::channel(1);
        let (tell, gone) = watch::channel(None);
        tokio::spawn(running.attend(ended, tell));
        Ok(Arc::new(Self {
            socket: start.socket,
            log: Some(start.log),
            login,
            gone: Some(gone),
            end: Some(end),
            open: AtomicUsize::new(0),
        }))
    }

    /// Takes a master of the user's own, where one answers; it is not ended.
    pub(super) async fn of_user(socket: &Path) -> Option<Arc<Self>> {
        let answers = socket.exists() && mux::process_of(socket).await.is_some();
        answers.then(|| {
            Arc::new(Self {
                socket: socket.to_owned(),
                log: None,
                login: String::new(),
                gone: None,
                end: None,
                open: AtomicUsize::new(0),
            })
        })
    }

    /// Takes hold of it, for something that is about to be opened.
    pub(super) fn hold(self: &Arc<Self>) -> Hold {
        if self.open.fetch_add(1, Ordering::AcqRel) == 0
            && let Some(log) = &self.log
        {
            empty(log, LONGEST_LOG);
        }
        Hold(Arc::clone(self))
    }

    /// Returns what its log said of the way to the host.
    pub(super) fn login(&self) -> &str {
        &self.login
    }

    /// Returns its socket.
    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Returns whether it runs, as far as that is known without asking.
    pub(super) fn is_running(&self) -> bool {
        self.gone
            .as_ref()
            .is_none_or(|gone| gone.borrow().is_none())
            && self.socket.exists()
    }

    /// Returns whether it answers.
    pub(super) async fn is_alive(&self) -> bool {
        self.is_running() && mux::process_of(&self.socket).await.is_some()
    }

    /// Returns why it is gone; waits a moment for the words of one that is about to be.
    pub(super) async fn why_gone(&self) -> String {
        let Some(gone) = &self.gone else {
            return "the master of `ssh` that is not ours ended".to_owned();
        };
        let mut gone = gone.clone();
        let known = tokio::time::timeout(ENDING, gone.wait_for(Option::is_some)).await;
        match known {
            Ok(Ok(reason)) => reason.clone(),
            _ => None,
        }
        .unwrap_or_else(|| "`ssh` does not answer".to_owned())
    }

    /// Returns how long its log is.
    pub(super) fn log_length(&self) -> u64 {
        let length = self.log.as_ref().and_then(|log| log.metadata().ok());
        length.map_or(0, |metadata| metadata.len())
    }

    /// Returns what its log says from a place on.
    pub(super) fn log_from(&self, place: u64) -> String {
        self.log
            .as_deref()
            .map_or_else(String::new, |log| read(log, place))
    }

    /// Ends it, and waits until it has.
    pub(super) async fn close(&self) {
        let (Some(end), Some(gone)) = (&self.end, &self.gone) else {
            return;
        };
        // Full where it was asked already, closed where it is gone.
        let _ = end.try_send(());
        let mut gone = gone.clone();
        // Its attendant is patient for three times that, and then kills it.
        let _ = tokio::time::timeout(ENDING * 4, gone.wait_for(Option::is_some)).await;
    }
}

/// Waits until somebody answers at a socket; returns whether that was in time.
async fn answers(socket: &Path, limit: Duration) -> bool {
    let looks = Backoff {
        first: FIRST_LOOK,
        longest: LATER_LOOKS,
        deadline: limit,
    };
    let look = || async {
        match socket.exists() && mux::process_of(socket).await.is_some() {
            true => Ok(()),
            false => Err(()),
        }
    };
    looks.retry(look, |()| true, |_, _, ()| {}).await.is_ok()
}

/// The process of a master; it is killed when it is dropped.
struct Running {
    child: Child,
    process: Option<u32>,
    stderr: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
    socket: PathBuf,
    log: PathBuf,
    directory: Arc<Directory>,
}

impl Running {
    fn spawn(start: &Start, directory: Arc<Directory>) -> io::Result<Self> {
        let mut child = tokio::process::Command::new(&start.program)
            .args(&start.arguments)
            .env_clear()
            .envs(start.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A group of its own: Ctrl-C on the terminal is ours to handle.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let process = child.id();
        if let Some(process) = process {
            directory.keep(process);
        }
        let stderr = Arc::default();
        let reader = child
            .stderr
            .take()
            .map(|stream| tokio::spawn(listen(stream, Arc::clone(&stderr))));
        Ok(Self {
            child,
            process,
            stderr,
            reader,
            socket: start.socket.clone(),
            log: start.log.clone(),
            directory,
        })
    }

    /// Looks after a master until it ends, or is to end.
    async fn attend(mut self, mut end: mpsc::Receiver<()>, tell: watch::Sender<Option<String>>) {
        let ended_here = tokio::select! {
            _ = self.child.wait() => false,
            // Asked to, or nobody has it any more.
            _ = end.recv() => true,
        };
        let reason = if ended_here {
            self.end().await;
            "it was closed here".to_owned()
        } else {
            classify::last_words(&self.words().await)
        };
        // Where nobody wants to know, nobody is told.
        let _ = tell.send(Some(reason));
    }

    /// Ends the process: it is asked, then told, then killed.
    async fn end(&mut self) {
        let asked = mux::terminate(&self.socket);
        let left = async {
            let _ = asked.await;
            self.child.wait().await
        };
        if tokio::time::timeout(ENDING, left).await.is_ok() {
            return;
        }
        let process = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(process) = process.and_then(Pid::from_raw) {
            // It ends its helpers, too, which a kill does not.
            let _ = kill_process(process, Signal::TERM);
        }
        if tokio::time::timeout(ENDING, self.child.wait())
            .await
            .is_err()
        {
            // Nothing is left to try.
            let _ = tokio::time::timeout(ENDING, self.child.kill()).await;
        }
    }

    /// Returns what the ended process has said.
    async fn words(&mut self) -> Words {
        if let Some(reader) = self.reader.take() {
            // A helper that lives on may hold the stream open.
            let _ = tokio::time::timeout(ENDING / 4, reader).await;
        }
        let stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        Words {
            log: read(&self.log, 0),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(process) = self.process {
            self.directory.forget(process);
        }
        // They are there or not: both is well.
        let _ = std::fs::remove_file(&self.socket);
        let _ = std::fs::remove_file(&self.log);
    }
}

/// Keeps the beginning of what a stream says, and throws the rest away.
async fn listen(mut stream: ChildStderr, kept: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = (16_usize << 10).saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..length.min(room)]);
    }
}

/// Reads the end of a log, from a place on.
fn read(path: &Path, place: u64) -> String {
    let open = || -> io::Result<Vec<u8>> {
        let mut file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        let start = place.max(length.saturating_sub(LONGEST_WORDS));
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(LONGEST_WORDS).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    // An `ssh` that complains about its options makes no log.
    String::from_utf8_lossy(&open().unwrap_or_default()).into_owned()
}

/// Empties a log that is longer than some length; `ssh` appends to it.
fn empty(path: &Path, longest: u64) {
    if path
        .metadata()
        .is_ok_and(|metadata| metadata.len() > longest)
        && let Ok(file) = std::fs::OpenOptions::new().write(true).open(path)
    {
        // A log that stays long does no harm but to memory.
        let _ = file.set_len(0);
    }
}
