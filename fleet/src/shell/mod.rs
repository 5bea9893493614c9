//! The interpreter: a POSIX shell as dash is one, and what is common of bash.
//!
//! A script is parsed command by command and then run; nothing is ever recognised by its text.

mod arithmetic;
mod builtin;
mod entry;
mod expand;
pub(crate) mod format;
mod interactive;
mod job;
pub(crate) mod parse;
pub(crate) mod pattern;
mod redirect;
mod run;
mod script;
pub(crate) mod test;
mod trap;
pub(crate) mod tree;
mod variable;
mod word;

#[cfg(test)]
mod tests;

pub(crate) use entry::PROGRAMS;
pub(crate) use entry::{Login, run_as_root, run_login};
pub(crate) use script::Scripts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::files::Credentials;
use crate::pipe::{Reader, WriteError, Writer};
use crate::process::{Child, Control, Pid, Signal};
use crate::world::{Fleet, HostId};

use expand::Fault;
use parse::Dialect;
use tree::Command;
use variable::Variable;

/// Whether expansions are split into fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SplitMode {
    Fields,
    Never,
}

/// An open descriptor.
#[derive(Debug, Clone, Default)]
struct Descriptor {
    reader: Option<Reader>,
    writer: Option<Writer>,
}

impl Descriptor {
    fn reader(reader: Reader) -> Self {
        Self {
            reader: Some(reader),
            writer: None,
        }
    }

    fn writer(writer: Writer) -> Self {
        Self {
            reader: None,
            writer: Some(writer),
        }
    }
}

/// What `set` switches.
#[derive(Debug, Clone, Copy, Default)]
struct Options {
    exits_on_error: bool,
    no_unset: bool,
    traces: bool,
    no_glob: bool,
    no_exec: bool,
    no_clobber: bool,
    exports_all: bool,
    verbose: bool,
    reads_stdin: bool,
    fails_in_pipes: bool,
    is_interactive: bool,
}

impl Options {
    fn letters(self) -> String {
        let letters = [
            (self.exits_on_error, 'e'),
            (self.no_glob, 'f'),
            (self.is_interactive, 'i'),
            (self.no_exec, 'n'),
            (self.reads_stdin, 's'),
            (self.traces, 'x'),
            (self.verbose, 'v'),
            (self.no_clobber, 'C'),
            (self.exports_all, 'a'),
            (self.no_unset, 'u'),
        ];
        letters
            .into_iter()
            .rev()
            .filter_map(|(is_on, letter)| is_on.then_some(letter))
            .collect()
    }
}

/// Where a command leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// To the next one.
    Next,
    /// Out of that many loops.
    Break(usize),
    /// To the next turn of the loop that many levels up.
    Continue(usize),
    /// Out of the function.
    Return,
    /// Out of the shell.
    Exit,
}

/// How a command is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Context {
    /// Its failure is looked at: `set -e` does not count.
    is_tested: bool,
    /// Nothing follows: a program may take the place of the shell.
    is_last: bool,
}

/// A process in the background.
#[derive(Debug, Clone)]
struct Job {
    child: Child,
}

/// A running shell.
#[derive(Clone)]
pub(crate) struct Shell {
    fleet: Fleet,
    host: HostId,
    /// `$$`.
    pid: Pid,
    /// The process that it is, which differs in a subshell.
    process: Pid,
    session: u64,
    control: Arc<Control>,
    credentials: Credentials,
    umask: u32,
    directory: String,
    name: String,
    dialect: Dialect,
    variables: Arc<BTreeMap<Arc<str>, Variable>>,
    functions: Arc<BTreeMap<String, Arc<Command>>>,
    positional: Vec<String>,
    options: Options,
    status: u8,
    descriptors: BTreeMap<u32, Descriptor>,
    /// What is done on signals; 0 is the end of the shell.
    traps: BTreeMap<u8, String>,
    ignored_from_start: BTreeSet<Signal>,
    jobs: Vec<Job>,
    last_background: Option<Pid>,
    /// The variables that functions have hidden, a level each.
    locals: Vec<BTreeMap<String, Option<Variable>>>,
    loops: usize,
    depth: usize,
    /// How many functions have been called and not left.
    calls: usize,
    line: u32,
    /// Whether the failure of the command that runs is looked at.
    is_tested: bool,
    /// The builtin that runs, for its messages.
    builtin: Option<&'static str>,
    owed: Duration,
    substitution_status: Option<u8>,
    /// Where `getopts` is within a word.
    option_offset: usize,
    /// Set by `exit` in a trap on the end.
    is_ending: bool,
    /// Somebody has typed the key for an interrupt.
    is_interrupted: bool,
}

impl Shell {
    fn absolute(&self, path: &str) -> String {
        crate::program::absolute(&self.directory, path)
    }

    /// Complains, with the place, on standard error.
    async fn complain(&mut self, text: &str) {
        let text = self.placed(text);
        self.print_to(2, text.as_bytes()).await;
    }

    fn placed(&self, text: &str) -> String {
        let line = match self.dialect {
            Dialect::Posix => format!("{}: {}", self.name, self.line),
            Dialect::Bash => format!("{}: line {}", self.name, self.line),
        };
        match self.builtin {
            Some(builtin) => format!("{line}: {builtin}: {text}\n"),
            None => format!("{line}: {text}\n"),
        }
    }

    /// Takes note of a fault; it is shown by whoever unwinds.
    fn fail(&mut self, text: &str) -> Fault {
        Fault {
            text: self.placed(text),
            status: match self.dialect {
                Dialect::Posix => 2,
                Dialect::Bash => 1,
            },
        }
    }

    /// Takes note of what is not simulated.
    fn not_simulated(&mut self, what: &str) -> Fault {
        let name = match self.dialect {
            Dialect::Posix => "sh",
            Dialect::Bash => "bash",
        };
        self.fleet.note_not_simulated(self.host, name, what);
        Fault {
            text: format!("{name}: not simulated: {what}\n"),
            status: 70,
        }
    }

    /// Shows a fault and sets the status.
    async fn show(&mut self, fault: Fault) {
        self.print_to(2, fault.text.as_bytes()).await;
        self.status = fault.status;
    }

    /// Writes to a descriptor; returns whether that worked. Where nobody reads, the shell ends by
    /// SIGPIPE.
    async fn print_to(&mut self, number: u32, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            return true;
        }
        match self.writer(number).write(bytes).await {
            Ok(()) => true,
            Err(WriteError::Broken) => {
                let is_handled = self.control.ignored().contains(&Signal::PIPE)
                    || self.traps.contains_key(&Signal::PIPE.0);
                self.control.signal(Signal::PIPE);
                if !is_handled {
                    std::future::pending::<()>().await;
                }
                false
            }
            Err(WriteError::Closed | WriteError::Errno(_)) => false,
        }
    }
}
