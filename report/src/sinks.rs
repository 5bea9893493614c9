//! Opens all sinks of a run, and closes them at its end.

use std::io::{self, Write};
use std::sync::Arc;

use phase::Sink;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::directory::RunDirectory;
use crate::display::{Display, DisplaySink, FoldSink, Holder, Queue, Shared, Talk};
use crate::fold::Fold;
use crate::jsonl::{FirstError, JsonLines, LogError, PlainLog};
use crate::plain::Verbosity;
use crate::style::Style;
use crate::terminal::Size;

/// What the sinks of a run are told.
pub struct SinksOptions {
    /// Where the talk goes.
    pub stderr: Output,
    /// The run directory; none where nothing shall be kept.
    pub directory: Option<RunDirectory>,
    /// How much is said on stderr; the log of the run always holds everything.
    pub verbosity: Verbosity,
    /// The command line that repeats the run (`launchpad apply -c prod.yaml`).
    pub repeat_with: Option<String>,
}

/// A stream to talk on.
pub struct Output {
    /// The stream.
    pub writer: Box<dyn Write + Send>,
    /// How it is written to.
    pub writing: Writing,
    /// Whether live lines can be drawn: a terminal that understands cursor movement.
    pub live: bool,
    /// Whether there are colours.
    pub style: Style,
    /// Tells the size of the terminal; asked for every picture, as it may change.
    pub size: Box<dyn Fn() -> Size + Send + Sync>,
}

/// How a stream is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// On a thread of its own: the stream may block (a terminal, a pipe, a file).
    Thread,
    /// On the printing task: the stream is in memory.
    Inline,
}

/// The sinks of one run.
pub struct Sinks {
    shared: Arc<Shared>,
    sinks: Vec<Arc<dyn Sink>>,
    error: FirstError,
    holder: Holder,
    finish: oneshot::Sender<()>,
    display: JoinHandle<io::Result<()>>,
}

/// How the sinks of a run fared, and what they have seen.
#[derive(Debug)]
pub struct FinishReport {
    /// The first file that could not be written; the user has been warned of it.
    pub log_error: Option<LogError>,
    /// Why not everything could be printed.
    pub display_error: Option<io::Error>,
    /// The last state of the run.
    pub fold: Fold,
}

impl Output {
    /// Makes an output for a stream; see [`Output::live`] for what `TERM` decides.
    ///
    /// `no_color` and `term` are the values of `NO_COLOR` and `TERM`.
    pub fn new(
        writer: Box<dyn Write + Send>,
        is_terminal: bool,
        no_color: Option<&str>,
        term: Option<&str>,
    ) -> Self {
        Self {
            writer,
            writing: Writing::Thread,
            live: is_terminal && term != Some("dumb"),
            style: Style::wanted(is_terminal, no_color, term),
            size: Box::new(Size::default),
        }
    }

    /// Sets what tells the size of the terminal.
    #[must_use]
    pub fn sized_by(mut self, size: impl Fn() -> Size + Send + Sync + 'static) -> Self {
        self.size = Box::new(size);
        self
    }

    /// Says that the stream is in memory and never blocks.
    #[must_use]
    pub fn in_memory(mut self) -> Self {
        self.writing = Writing::Inline;
        self
    }
}

impl Sinks {
    /// Opens the sinks of a run and starts to print; must be called within a Tokio runtime.
    ///
    /// Never fails: a file that cannot be made or written is one warning, printed and kept for
    /// the [`FinishReport`].
    pub fn open(options: SinksOptions) -> Self {
        let shared = Arc::new(Shared::new());
        let queue = Arc::new(Queue::new());
        let error = FirstError::new(Arc::clone(&queue));
        let talk = Talk {
            verbosity: options.verbosity,
            live: options.stderr.live,
            repeat_with: options.repeat_with,
            log: log_of(options.directory.as_ref()),
        };
        // The order matters: the fold first, what may hold the run back next, the talk last.
        let mut sinks: Vec<Arc<dyn Sink>> = vec![Arc::new(FoldSink(Arc::clone(&shared)))];
        if let Some(directory) = &options.directory {
            sinks.extend(files(directory, &shared, &error));
        }
        sinks.push(Arc::new(DisplaySink {
            shared: Arc::clone(&shared),
            queue: Arc::clone(&queue),
            talk,
        }));
        let (asked, asking) = mpsc::channel(1);
        let (finish, finished) = oneshot::channel();
        let display = Display::new(Arc::clone(&shared), Arc::clone(&queue), options.stderr);
        Self {
            shared,
            sinks,
            error,
            holder: Holder { queue, asked },
            finish,
            display: tokio::spawn(display.run(asking, finished)),
        }
    }

    /// Returns the sinks, for [`phase::Emitter::new`]; their order is part of it.
    pub fn sinks(&self) -> Vec<Arc<dyn Sink>> {
        self.sinks.clone()
    }

    /// Returns what keeps the display quiet while something else talks to the user.
    pub fn holder(&self) -> Holder {
        self.holder.clone()
    }

    /// Returns the state of the run as it is now.
    pub fn fold(&self) -> Fold {
        self.shared.read(Fold::clone)
    }

    /// Prints the rest and ends.
    ///
    /// Waits for a stream that stands still, for ten minutes: the end of a run must not be lost.
    /// Sinks that are dropped instead print the rest, too, but nobody waits for them.
    pub async fn finish(self) -> FinishReport {
        // Fails only if the task has ended, which the handle tells.
        let _ = self.finish.send(());
        let display_error = match self.display.await {
            Ok(result) => result.err(),
            Err(error) => Some(io::Error::other(error)),
        };
        FinishReport {
            log_error: self.error.take(),
            display_error,
            fold: self.shared.read(Fold::clone),
        }
    }
}

fn log_of(directory: Option<&RunDirectory>) -> Option<String> {
    directory.map(|directory| directory.log().display().to_string())
}

fn files(directory: &RunDirectory, shared: &Arc<Shared>, error: &FirstError) -> Vec<Arc<dyn Sink>> {
    let mut sinks: Vec<Arc<dyn Sink>> = Vec::new();
    let open = |path: &std::path::Path| match directory.create_file(path) {
        Ok(file) => Some(Box::new(file)),
        Err(source) => {
            let path = path.to_owned();
            error.report(LogError { path, source }, 0);
            None
        }
    };
    let events = directory.events();
    if let Some(file) = open(&events) {
        sinks.push(Arc::new(JsonLines::new(&events, file, error.clone())));
    }
    let log = directory.log();
    if let Some(file) = open(&log) {
        let shared = Arc::clone(shared);
        sinks.push(Arc::new(PlainLog::new(&log, file, error.clone(), shared)));
        if directory.is_apply()
            && let Err(link) = directory.link_apply_log()
        {
            let (path, source) = (link.path, link.source);
            error.report(LogError { path, source }, 0);
        }
    }
    sinks
}
