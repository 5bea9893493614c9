//! Shells that somebody types to: prompts, and keys that take a command back.
//!
//! Jobs are not controlled: what is started in the background stays there, and nothing is stopped.

use std::time::Duration;

use crate::process::Signal;

use super::parse::Dialect;
use super::{Context, Flow, Shell};

/// What Debian's bash prompts with.
const BASH_PROMPT: &str = r"\u@\h:\w\$ ";
/// The status of a command that was interrupted.
const INTERRUPTED: u8 = 130;

impl Shell {
    /// Makes it one that somebody types to.
    pub(super) fn become_interactive(&mut self) {
        self.options.is_interactive = true;
        if self.dialect == Dialect::Bash {
            // Nobody has made it read-only yet.
            let _ = self.set("PS1", BASH_PROMPT);
        }
        self.apply_traps();
    }

    /// Reads commands from a terminal and runs them, until the end of the input.
    pub(super) async fn run_interactive(&mut self) {
        let mut text = String::new();
        loop {
            let prompt = self.prompt(if text.is_empty() { "PS1" } else { "PS2" });
            self.print_to(2, prompt.as_bytes()).await;
            let control = std::sync::Arc::clone(&self.control);
            let reader = self.reader(0);
            let line = tokio::select! {
                biased;
                () = control.interrupted() => None,
                line = reader.read_line() => Some(line.unwrap_or_default()),
            };
            let Some(line) = line else {
                // A trap may end the shell.
                if self.run_traps().await == Flow::Exit && !self.take_interrupt() {
                    return;
                }
                self.print_to(2, b"\n").await;
                self.status = INTERRUPTED;
                text.clear();
                continue;
            };
            if line.is_empty() {
                self.say_goodbye().await;
                return;
            }
            text.push_str(&String::from_utf8_lossy(&line));
            if !text.ends_with('\n') {
                // The end was typed within a line: more of it may follow.
                continue;
            }
            if self.run_typed(&mut text).await == Flow::Exit {
                return;
            }
        }
    }

    /// Runs what was typed, if it is complete; else it stays.
    async fn run_typed(&mut self, text: &mut String) -> Flow {
        let script = super::script::parse(text, 1, self.dialect);
        let is_open = script.whole.is_some();
        match &script.error {
            Some(error) if error.is_incomplete => return Flow::Next,
            _ if is_open => return Flow::Next,
            Some(error) => {
                self.show_syntax_error(error).await;
                text.clear();
                return Flow::Next;
            }
            None => {}
        }
        text.clear();
        for command in &script.commands {
            let flow = self.run(command, Context::default()).await;
            if self.take_interrupt() {
                self.print_to(2, b"\n").await;
                self.status = INTERRUPTED;
                break;
            }
            if flow == Flow::Exit {
                return Flow::Exit;
            }
        }
        // Whoever types has time: what commands take is waited for.
        let owed = std::mem::replace(&mut self.owed, Duration::ZERO);
        tokio::time::sleep(owed).await;
        Flow::Next
    }

    /// Returns whether a command was interrupted, and forgets it.
    fn take_interrupt(&mut self) -> bool {
        std::mem::take(&mut self.is_interrupted)
    }

    async fn say_goodbye(&mut self) {
        let said: &[u8] = match (self.dialect, self.name.starts_with('-')) {
            (Dialect::Bash, true) => b"logout\n",
            (Dialect::Bash, false) => b"exit\n",
            (Dialect::Posix, _) => b"\n",
        };
        self.print_to(2, said).await;
    }

    fn prompt(&self, name: &str) -> String {
        let text = self.variable(name).unwrap_or_default();
        match self.dialect {
            Dialect::Posix => text.to_owned(),
            Dialect::Bash => self.bash_prompt(text),
        }
    }

    /// Returns a prompt with what bash puts for its escapes.
    fn bash_prompt(&self, text: &str) -> String {
        let host = self
            .fleet
            .host(self.host, |host| host.host_name().to_owned());
        let home = self.variable("HOME").unwrap_or_default();
        let short = match self.directory.strip_prefix(home) {
            Some(rest) if !home.is_empty() && (rest.is_empty() || rest.starts_with('/')) => {
                format!("~{rest}")
            }
            _ => self.directory.clone(),
        };
        let last = match short.rsplit('/').next() {
            Some("") | None => "/",
            Some(last) => last,
        };
        let mut shown = String::new();
        let mut all = text.chars();
        while let Some(one) = all.next() {
            if one != '\\' {
                shown.push(one);
                continue;
            }
            match all.next() {
                Some('u') => shown.push_str(&self.credentials.user),
                Some('h') => shown.push_str(host.split('.').next().unwrap_or_default()),
                Some('H') => shown.push_str(&host),
                Some('w') => shown.push_str(&short),
                Some('W') => shown.push_str(last),
                Some('$') if self.credentials.uid == 0 => shown.push('#'),
                Some('$') => shown.push('$'),
                Some('n') => shown.push('\n'),
                Some('e') => shown.push('\u{1b}'),
                Some('a') => shown.push('\u{7}'),
                // What is between these two has no width.
                Some('[' | ']') | None => {}
                Some(other) => shown.push(other),
            }
        }
        shown
    }

    /// Returns the signals that a shell catches, and ignores, because somebody types to it.
    pub(super) fn interactive_signals(&self) -> (&'static [Signal], &'static [Signal]) {
        match self.options.is_interactive {
            true => (&[Signal::INT], &[Signal::QUIT, Signal::TERM, Signal::TSTP]),
            false => (&[], &[]),
        }
    }
}
