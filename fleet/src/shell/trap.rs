//! Traps, and the end of a shell.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::process::{Ended, Signal};

use super::{Context, Flow, Shell};

impl Shell {
    /// Tells the process which signals are caught and which ignored.
    pub(super) fn apply_traps(&self) {
        let mut ignored = self.ignored_from_start.clone();
        let mut caught = BTreeSet::new();
        for (number, action) in &self.traps {
            let signal = Signal(*number);
            if *number == 0 {
                continue;
            }
            match action.is_empty() {
                true => ignored.insert(signal),
                false => caught.insert(signal),
            };
        }
        let (catches, ignores) = self.interactive_signals();
        caught.extend(catches);
        ignored.extend(ignores);
        self.control.set_dispositions(caught, ignored);
    }

    /// Forgets traps as a subshell does: what is ignored stays so.
    pub(super) fn reset_traps(&mut self) {
        self.options.is_interactive = false;
        self.traps
            .retain(|number, action| *number != 0 && action.is_empty());
        self.apply_traps();
    }

    /// Runs the traps of signals that have arrived.
    pub(super) async fn run_traps(&mut self) -> Flow {
        while let Some(signal) = self.control.take_pending() {
            let Some(action) = self.traps.get(&signal.0).cloned() else {
                if signal == Signal::INT && self.options.is_interactive {
                    // Everything that was typed is taken back, however deep it is.
                    self.is_interrupted = true;
                    return Flow::Exit;
                }
                continue;
            };
            let status = self.status;
            let flow = Box::pin(self.run_text(&action, 1, Context::default())).await;
            if flow != Flow::Next {
                return flow;
            }
            self.status = status;
        }
        Flow::Next
    }

    /// Ends the shell: runs the trap on its end; returns how the process ends.
    pub(super) async fn finish(&mut self) -> (Ended, Duration) {
        // A trap that ends the shell itself is not run again.
        if let Some(action) = self.traps.remove(&0)
            && !action.is_empty()
        {
            let status = self.status;
            self.is_ending = false;
            let flow = Box::pin(self.run_text(&action, 1, Context::default())).await;
            if flow != Flow::Exit || !self.is_ending {
                self.status = status;
            }
        }
        (Ended::Code(self.status), self.owed)
    }
}
