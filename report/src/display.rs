//! Prints what happens at its own pace.
//!
//! The sink only queues lines; a task prints them, at most eight times a second, with the live
//! lines of a terminal below. A stream that stands still (a paused terminal, a pipe nobody reads)
//! holds back this task and nobody else: states are skipped, and where too many lines wait, the
//! oldest are counted instead of printed. The last state is always printed.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use phase::{Envelope, Event, Sink};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use crate::fold::{self, Fold};
use crate::pen::Pen;
use crate::plain::{self, Line, Stamp, Verbosity};
use crate::sinks::Output;
use crate::style::Style;
use crate::summary;
use crate::terminal::{self, Painter, Size};

/// The shortest time between two pictures.
const REFRESH: Duration = Duration::from_millis(125);

/// The longest time between two pictures of live lines: clocks go on.
const TICK: Duration = Duration::from_secs(1);

/// How often, and from when on, plain lines tell of a long step.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// How many lines may wait for a stream that stands still.
const WAITING_LINES: usize = 10_000;

/// How long the last words may take to be written.
const LAST_WORDS: Duration = Duration::from_secs(600);

/// The fold that all sinks read, and when it last changed.
pub(crate) struct Shared(Mutex<Seen>);

#[derive(Clone)]
struct Seen {
    fold: Fold,
    at: Instant,
}

/// The sink that keeps the fold up to date: it comes first.
pub(crate) struct FoldSink(pub(crate) Arc<Shared>);

/// The sink that queues lines for the task.
pub(crate) struct DisplaySink {
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) talk: Talk,
}

/// What is said, and how.
#[derive(Clone)]
pub(crate) struct Talk {
    pub(crate) verbosity: Verbosity,
    pub(crate) live: bool,
    pub(crate) repeat_with: Option<String>,
    pub(crate) log: Option<String>,
}

/// Lines that wait to be printed.
pub(crate) struct Queue {
    lines: Mutex<Waiting>,
    changed: Notify,
    /// How many want nothing to be printed for now.
    holders: AtomicUsize,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<(u64, Line)>,
    left_out: u64,
}

/// The task that prints.
pub(crate) struct Display {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    pen: Pen,
    painter: Painter,
    live: bool,
    style: Style,
    size: Box<dyn Fn() -> Size + Send + Sync>,
}

/// Asks the display to be quiet, from wherever something else wants to talk to the user.
#[derive(Clone)]
pub struct Holder {
    pub(crate) queue: Arc<Queue>,
    pub(crate) asked: mpsc::Sender<oneshot::Sender<()>>,
}

/// Keeps the display quiet until it is dropped.
pub struct Held {
    queue: Arc<Queue>,
}

impl Holder {
    /// Takes the live lines away and prints nothing until the result is dropped.
    ///
    /// Returns when everything before it is on the screen, so that a question can be asked. What
    /// happens in the meantime is printed afterwards.
    pub async fn hold(&self) -> Held {
        self.queue.holders.fetch_add(1, Ordering::SeqCst);
        let held = Held {
            queue: Arc::clone(&self.queue),
        };
        let (quiet, is_quiet) = oneshot::channel();
        // Both fail only when the display has ended: then it is quiet.
        if self.asked.send(quiet).await.is_ok() {
            let _ = is_quiet.await;
        }
        held
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.queue.holders.fetch_sub(1, Ordering::SeqCst);
        self.queue.changed.notify_one();
    }
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Seen {
            fold: Fold::default(),
            at: Instant::now(),
        }))
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&Fold) -> T) -> T {
        read(&self.seen().fold)
    }

    /// Reads the fold together with the time of now, in milliseconds since the start of the run.
    fn read_now<T>(&self, read: impl FnOnce(&Fold, u64) -> T) -> T {
        let seen = self.seen();
        let now_ms = seen.fold.at_ms + phase::event::millis(seen.at.elapsed());
        read(&seen.fold, now_ms)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for FoldSink {
    fn receive(&self, envelope: &Envelope) {
        let mut seen = self.0.seen();
        seen.fold.apply(envelope);
        seen.at = Instant::now();
    }
}

impl Sink for DisplaySink {
    fn receive(&self, envelope: &Envelope) {
        let talk = &self.talk;
        let event = &envelope.event;
        if talk.live && !terminal::scrolls(event, talk.verbosity) {
            return self.queue.changed.notify_one();
        }
        let lines = self.shared.read(|fold| {
            let mut lines = plain::lines(fold, envelope, talk.verbosity);
            if matches!(event, Event::RunFinished { .. }) {
                let (again, log) = (talk.repeat_with.as_deref(), talk.log.as_deref());
                lines.extend(summary::pointers(fold, again, log));
                lines.retain(|line| line.level <= talk.verbosity.level());
            }
            lines
        });
        self.queue.push(envelope.at_ms, lines);
    }
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self {
            lines: Mutex::default(),
            changed: Notify::new(),
            holders: AtomicUsize::new(0),
        }
    }

    /// Adds lines; where too many wait, the oldest are left out.
    pub(crate) fn push(&self, at_ms: u64, lines: Vec<Line>) {
        {
            let mut waiting = self.waiting();
            for line in lines {
                if waiting.lines.len() == WAITING_LINES {
                    waiting.lines.pop_front();
                    waiting.left_out += 1;
                }
                waiting.lines.push_back((at_ms, line));
            }
        }
        self.changed.notify_one();
    }

    fn take(&self) -> Waiting {
        std::mem::take(&mut *self.waiting())
    }

    fn is_held(&self) -> bool {
        self.holders.load(Ordering::SeqCst) > 0
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Display {
    pub(crate) fn new(shared: Arc<Shared>, queue: Arc<Queue>, output: Output) -> Self {
        Self {
            shared,
            queue,
            pen: Pen::new(output.writer, output.writing),
            painter: Painter::default(),
            live: output.live,
            style: output.style,
            size: output.size,
        }
    }

    /// Prints until `finished` resolves, then the rest; returns the first error of the stream.
    pub(crate) async fn run(
        mut self,
        mut asked: mpsc::Receiver<oneshot::Sender<()>>,
        mut finished: oneshot::Receiver<()>,
    ) -> io::Result<()> {
        let mut beat = Instant::now() + HEARTBEAT;
        let mut drawn_at: Option<Instant> = None;
        let mut is_dirty = false;
        loop {
            let due = self.due(drawn_at, is_dirty, beat);
            tokio::select! {
                biased;
                // Dropped or told: both are the end.
                _ = &mut finished => break,
                Some(quiet) = asked.recv() => {
                    let calmed = self.calm();
                    tokio::select! {
                        biased;
                        _ = &mut finished => break,
                        () = calmed => drop(quiet.send(())),
                    }
                }
                () = self.queue.changed.notified(), if !is_dirty => is_dirty = true,
                () = sleep_until(due) => {
                    if Instant::now() >= beat {
                        self.beat();
                        beat = Instant::now() + HEARTBEAT;
                    }
                    drawn_at = Some(Instant::now());
                    if self.pen.is_free() && !self.queue.is_held() {
                        let text = self.picture(true);
                        drop(self.pen.put(text));
                        is_dirty = false;
                    }
                }
            }
        }
        let rest = async {
            self.pen.ready().await;
            let text = self.picture(false);
            drop(self.pen.put(text));
            self.pen.close().await
        };
        match timeout(LAST_WORDS, rest).await {
            Ok(None) => Ok(()),
            Ok(Some(error)) => Err(error),
            Err(elapsed) => Err(io::Error::new(io::ErrorKind::TimedOut, elapsed)),
        }
    }

    /// Returns when to draw next.
    fn due(&self, drawn_at: Option<Instant>, is_dirty: bool, beat: Instant) -> Instant {
        let Some(drawn_at) = drawn_at else {
            return if is_dirty { Instant::now() } else { beat };
        };
        if is_dirty {
            drawn_at + REFRESH
        } else if self.live {
            drawn_at + TICK
        } else {
            beat
        }
    }

    /// Queues a line for each long step, where there are no live lines to show it.
    fn beat(&self) {
        if self.live {
            return;
        }
        let long_ms = phase::event::millis(HEARTBEAT);
        let (now_ms, lines) = self
            .shared
            .read_now(|fold, now_ms| (now_ms, plain::heartbeat(fold, now_ms, long_ms)));
        self.queue.push(now_ms, lines);
    }

    /// Takes the live lines away; over when that is on the screen.
    async fn calm(&mut self) {
        self.pen.ready().await;
        let text = self.picture(false);
        // An error is a thread that has ended: nothing is on the screen any more.
        let _ = self.pen.put(text).await;
    }

    /// Returns all waiting lines as text, with the live lines below where wanted.
    fn picture(&mut self, with_live: bool) -> String {
        let waiting = self.queue.take();
        let stamp = if self.live { Stamp::Bare } else { Stamp::Clock };
        let with_live = with_live && self.live;
        // Only the live lines are made under the lock: whoever emits waits for it.
        let (started_at, live) = self.shared.read_now(|fold, now_ms| {
            let live = if with_live {
                terminal::live_lines(fold, now_ms, (self.size)(), self.style)
            } else {
                Vec::new()
            };
            (fold.started_at(), live)
        });
        let left_out = waiting.left_out;
        let left_out = (left_out > 0).then(|| format!("({left_out} lines are not shown here)"));
        let print = |(at_ms, line): &(u64, Line)| {
            let at = fold::time_of(started_at, *at_ms);
            plain::print(line, stamp, at, self.style)
        };
        let above: Vec<String> = left_out
            .into_iter()
            .chain(waiting.lines.iter().map(print))
            .collect();
        self.painter.frame(&above, &live)
    }
}
