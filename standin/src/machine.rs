//! The machine: one operation, driven step by step by whoever owns an engine.
//!
//! Operations are written as `async` functions, so that they read from top to bottom; the future
//! is the state. It waits for nothing but the next [`Input`], so no runtime is behind it: each
//! [`Machine::step`] polls it once.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::command::{Command, World};
use crate::controller::Site;
use crate::engine::{Action, Part, Refusal, Reply, View};
use crate::log::{Format, Level, Line};
use crate::operation;

/// What the adapter tells a machine.
#[derive(Debug, Clone)]
pub enum Input {
    /// The first step.
    Start,
    /// What [`Next::Look`] has seen.
    Seen(Box<View>),
    /// What came of [`Next::Do`].
    Done(Reply),
    /// The look or the action came to nothing.
    Refused(Refusal),
}

/// What a machine wants.
#[derive(Debug)]
pub struct Step {
    /// Lines to print, at once.
    pub lines: Vec<Line>,
    /// What is next.
    pub next: Next,
}

/// What is next.
#[derive(Debug)]
pub enum Next {
    /// Wait, then look at parts of the engine, and give them to the machine.
    Look {
        /// How long to wait.
        after: Duration,
        /// What to look at; nothing where it only waits.
        parts: Vec<Part>,
    },
    /// Carry something out.
    Do(Action),
    /// Serve the API, until a signal comes.
    Serve(Box<Site>),
    /// Nothing, until a signal comes.
    Idle,
    /// End with a status.
    Exit(u8),
}

/// How an operation ends.
pub(crate) type End = Next;

/// An operation that goes on with each step.
pub struct Machine {
    desk: Desk,
    operation: Option<Pin<Box<dyn Future<Output = End> + Send>>>,
    format: Format,
}

impl Machine {
    /// Sets up an operation; nothing happens before the first step.
    pub fn new(command: Command, world: World) -> Self {
        let format = if command.flags.has("jsonlog") {
            Format::Json
        } else {
            Format::Text
        };
        let desk = Desk::new(command.flags.has("debug"));
        let operation = Box::pin(operation::run(desk.clone(), command, world));
        Self {
            desk,
            operation: Some(operation),
            format,
        }
    }

    /// Returns the form in which lines are to be printed.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Goes on to what is next; `now` is the time since the start.
    ///
    /// A machine that has ended ends again, with status 70: its adapter is at fault.
    pub fn step(&mut self, now: Duration, input: Input) -> Step {
        self.desk.put(now, input);
        let polled = self.operation.as_mut().map(|operation| {
            let mut context = Context::from_waker(Waker::noop());
            operation.as_mut().poll(&mut context)
        });
        let next = match polled {
            Some(Poll::Ready(end)) => {
                self.operation = None;
                end
            }
            Some(Poll::Pending) => self.desk.take_asked().unwrap_or(Next::Exit(70)),
            None => Next::Exit(70),
        };
        Step {
            lines: self.desk.take_lines(),
            next,
        }
    }
}

/// Where a machine and its operation leave things for each other.
#[derive(Clone)]
pub(crate) struct Desk(Arc<Mutex<Papers>>);

struct Papers {
    shows_debug: bool,
    now: Duration,
    lines: Vec<Line>,
    input: Option<Input>,
    asked: Option<Next>,
}

impl Desk {
    fn new(shows_debug: bool) -> Self {
        Self(Arc::new(Mutex::new(Papers {
            shows_debug,
            now: Duration::ZERO,
            lines: Vec::new(),
            input: None,
            asked: None,
        })))
    }

    fn papers(&self) -> MutexGuard<'_, Papers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, now: Duration, input: Input) {
        let mut papers = self.papers();
        papers.now = now;
        papers.input = match input {
            Input::Start => None,
            input => Some(input),
        };
    }

    fn take_asked(&self) -> Option<Next> {
        self.papers().asked.take()
    }

    fn take_lines(&self) -> Vec<Line> {
        std::mem::take(&mut self.papers().lines)
    }

    /// Returns the time since the start.
    pub(crate) fn now(&self) -> Duration {
        self.papers().now
    }

    /// Prints a line; debug lines only where they are wanted.
    pub(crate) fn print(&self, line: Line) {
        let mut papers = self.papers();
        let is_debug = matches!(
            line,
            Line::Log {
                level: Level::Debug,
                ..
            }
        );
        if !is_debug || papers.shows_debug {
            papers.lines.push(line);
        }
    }

    /// Asks for something and waits for what comes of it.
    async fn ask(&self, next: Next) -> Input {
        let mut next = Some(next);
        poll_fn(|_| {
            let mut papers = self.papers();
            if let Some(next) = next.take() {
                papers.asked = Some(next);
                return Poll::Pending;
            }
            papers.input.take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Waits, then looks at the engine.
    pub(crate) async fn look(&self, after: Duration, parts: &[Part]) -> Result<View, Refusal> {
        let parts = parts.to_vec();
        match self.ask(Next::Look { after, parts }).await {
            Input::Seen(view) => Ok(*view),
            Input::Refused(refusal) => Err(refusal),
            Input::Start | Input::Done(_) => Err(out_of_turn()),
        }
    }

    /// Has something done.
    pub(crate) async fn act(&self, action: Action) -> Result<Reply, Refusal> {
        match self.ask(Next::Do(action)).await {
            Input::Done(reply) => Ok(reply),
            Input::Refused(refusal) => Err(refusal),
            Input::Start | Input::Seen(_) => Err(out_of_turn()),
        }
    }
}

/// An adapter that answers something else than it was asked.
pub(crate) fn out_of_turn() -> Refusal {
    Refusal {
        status: None,
        message: "the answer does not belong to what was asked".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Environment, Seed};

    fn machine(line: &str) -> Machine {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let command = Command::parse(&words, &Environment::default()).unwrap();
        let world = World {
            image: "mirantis/ucp:3.8.8".to_owned(),
            environment: Environment::default(),
            seed: Seed([1; 32]),
        };
        Machine::new(command, world)
    }

    #[test]
    fn a_machine_that_has_ended_says_that_it_is_asked_in_vain() {
        let mut machine = machine("images --list");

        let first = machine.step(Duration::ZERO, Input::Start);
        assert!(matches!(first.next, Next::Exit(0)), "{first:?}");
        let second = machine.step(Duration::ZERO, Input::Start);
        assert!(matches!(second.next, Next::Exit(70)), "{second:?}");
    }

    #[test]
    fn an_answer_to_another_question_is_a_failure() {
        let mut machine = machine("id");

        machine.step(Duration::ZERO, Input::Start);
        let step = machine.step(Duration::ZERO, Input::Done(Reply::Done));

        assert!(matches!(step.next, Next::Exit(1)), "{step:?}");
    }

    #[test]
    fn the_form_of_lines_is_asked_for() {
        assert_eq!(machine("id --jsonlog").format(), Format::Json);
        assert_eq!(machine("id").format(), Format::Text);
    }

    #[test]
    fn a_machine_can_be_moved_to_another_thread() {
        fn is_send<T: Send>(_: &T) {}

        is_send(&machine("install"));
    }
}
