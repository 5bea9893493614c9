//! The stop signal: graceful first, immediate second.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Why a run stops before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// A step failed.
    Failed,
    /// SIGINT, SIGTERM or SIGHUP; the number of the signal.
    Signal(i32),
    /// The time given with `--timeout` is over.
    Timeout,
    /// The run lock was lost.
    LockLost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct State {
    graceful: Option<StopReason>,
    now: bool,
}

/// A shared stop signal; cheap to clone.
#[derive(Debug, Clone)]
pub struct Stop {
    state: Arc<watch::Sender<State>>,
}

impl Default for Stop {
    fn default() -> Self {
        Self {
            state: Arc::new(watch::Sender::new(State::default())),
        }
    }
}

impl Stop {
    /// Makes a signal that is not given yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to start no new step. The first reason is kept.
    pub fn gracefully(&self, reason: StopReason) {
        self.state.send_if_modified(|state| {
            let first = state.graceful.is_none();
            if first {
                state.graceful = Some(reason);
            }
            first
        });
    }

    /// Asks to leave at once.
    pub fn now(&self, reason: StopReason) {
        self.state.send_modify(|state| {
            state.graceful.get_or_insert(reason);
            state.now = true;
        });
    }

    /// Takes one signal of the operating system: the first is graceful, the second immediate.
    pub fn signal(&self, number: i32) {
        let by_signal = matches!(self.state.borrow().graceful, Some(StopReason::Signal(_)));
        if by_signal {
            self.now(StopReason::Signal(number));
        } else {
            self.state
                .send_modify(|state| state.graceful = Some(StopReason::Signal(number)));
        }
    }

    /// Returns why the run stops, if it does.
    pub fn reason(&self) -> Option<StopReason> {
        self.state.borrow().graceful
    }

    /// Returns whether no new step may start.
    pub fn is_stopping(&self) -> bool {
        self.reason().is_some()
    }

    /// Waits until no new step may start.
    pub async fn stopping(&self) {
        self.wait(|state| state.graceful.is_some()).await;
    }

    /// Waits until a signal of the operating system or the deadline asks to stop: what a step
    /// that can be resumed later listens to. A failure elsewhere is no reason to leave it.
    pub async fn interrupted(&self) {
        self.wait(|state| !matches!(state.graceful, None | Some(StopReason::Failed)))
            .await;
    }

    /// Waits until everything has to be left at once.
    pub async fn immediate(&self) {
        self.wait(|state| state.now).await;
    }

    async fn wait(&self, is_it: impl FnMut(&State) -> bool) {
        // The sender lives in self, so that the channel cannot be closed while we wait.
        let _ = self.state.subscribe().wait_for(is_it).await;
    }
}
