//! The files of the run directory: `events.jsonl` and `launchpad.log`.
//!
//! These are the only sinks that may hold the run back: every event is written before the run goes
//! on, so that they are whole up to the last event even when launchpad is killed. A file that
//! cannot be written is given up at its first error, which is kept; the run goes on.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use phase::{Envelope, Sink};

use crate::display::{Queue, Shared};
use crate::plain::{self, Level, Line, Stamp, Verbosity};
use crate::style::Style;

/// Why a run has no complete log.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", path.display())]
pub struct LogError {
    /// The file.
    pub path: PathBuf,
    /// The cause.
    #[source]
    pub source: io::Error,
}

/// The first error of all files of a run: one warning, however many files fail.
#[derive(Clone)]
pub(crate) struct FirstError {
    first: Arc<Mutex<Option<LogError>>>,
    queue: Arc<Queue>,
}

impl FirstError {
    pub(crate) fn new(queue: Arc<Queue>) -> Self {
        Self {
            first: Arc::default(),
            queue,
        }
    }

    /// Keeps an error and warns of it, if it is the first.
    pub(crate) fn report(&self, error: LogError, at_ms: u64) {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        if first.is_some() {
            return;
        }
        let text = format!(
            "{error}: {}: the run goes on, its log is not complete",
            error.source
        );
        let text = crate::printable::printable(&text).into_owned();
        self.queue.push(at_ms, vec![Line::new(Level::Warn, text)]);
        *first = Some(error);
    }

    pub(crate) fn take(&self) -> Option<LogError> {
        self.first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// A file that is given up at its first error.
struct File {
    path: PathBuf,
    writer: Mutex<Option<Box<dyn Write + Send>>>,
    error: FirstError,
}

impl File {
    fn new(path: &Path, writer: Box<dyn Write + Send>, error: FirstError) -> Self {
        Self {
            path: path.to_owned(),
            writer: Mutex::new(Some(writer)),
            error,
        }
    }

    fn write(&self, text: &str, at_ms: u64) {
        let mut place = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(writer) = place.as_mut() else {
            return;
        };
        let result = writer.write_all(text.as_bytes());
        if let Err(source) = result.and_then(|()| writer.flush()) {
            *place = None;
            let path = self.path.clone();
            self.error.report(LogError { path, source }, at_ms);
        }
    }
}

/// Writes every event as one line of JSON.
pub(crate) struct JsonLines(File);

impl JsonLines {
    pub(crate) fn new(path: &Path, writer: Box<dyn Write + Send>, error: FirstError) -> Self {
        Self(File::new(path, writer, error))
    }
}

impl Sink for JsonLines {
    fn receive(&self, envelope: &Envelope) {
        match serde_json::to_string(envelope) {
            Ok(mut line) => {
                line.push('\n');
                self.0.write(&line, envelope.at_ms);
            }
            Err(error) => {
                let path = self.0.path.clone();
                let source = error.into();
                self.0
                    .error
                    .report(LogError { path, source }, envelope.at_ms);
            }
        }
    }
}

/// Writes everything that happens as time-stamped lines.
pub(crate) struct PlainLog {
    file: File,
    shared: Arc<Shared>,
}

impl PlainLog {
    pub(crate) fn new(
        path: &Path,
        writer: Box<dyn Write + Send>,
        error: FirstError,
        shared: Arc<Shared>,
    ) -> Self {
        let file = File::new(path, writer, error);
        Self { file, shared }
    }
}

impl Sink for PlainLog {
    fn receive(&self, envelope: &Envelope) {
        let text = self.shared.read(|fold| log_text(fold, envelope));
        self.file.write(&text, envelope.at_ms);
    }
}

/// Returns what the log of a run says of an event: everything, with time and level.
///
/// `fold` is the state after the event.
pub fn log_text(fold: &crate::fold::Fold, envelope: &Envelope) -> String {
    let at = crate::fold::time_of(fold.started_at(), envelope.at_ms);
    plain::lines(fold, envelope, Verbosity::Trace)
        .iter()
        .map(|line| plain::print(line, Stamp::Log, at, Style::Plain) + "\n")
        .collect()
}
