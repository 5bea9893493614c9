//! What a script is once it is parsed.

use std::sync::{Arc, OnceLock};

/// A command of any kind.
#[derive(Debug)]
pub(crate) enum Command {
    /// Words, assignments and redirections.
    Simple(Simple),
    /// Commands that feed each other.
    Pipeline(Vec<Arc<Command>>),
    /// `!`.
    Not(Box<Command>),
    /// `&&`.
    And(Box<Command>, Box<Command>),
    /// `||`.
    Or(Box<Command>, Box<Command>),
    /// One after the other.
    Sequence(Vec<Command>),
    /// `&`.
    Background(Arc<Command>),
    /// A compound command with redirections.
    Redirected {
        /// The command.
        body: Box<Command>,
        /// Its redirections.
        redirections: Vec<Redirection>,
        /// The line.
        line: u32,
    },
    /// `( … )`.
    Subshell(Arc<Command>),
    /// `if`: conditions with what they guard, then `else`.
    If(Vec<(Command, Command)>, Option<Box<Command>>),
    /// `while` and `until`.
    Loop {
        /// Whether it is `until`.
        is_until: bool,
        /// The condition.
        condition: Box<Command>,
        /// The body.
        body: Box<Command>,
    },
    /// `for`.
    For {
        /// The variable.
        name: String,
        /// The words; `None` for the positional parameters.
        words: Option<Vec<Word>>,
        /// The body.
        body: Box<Command>,
        /// The line.
        line: u32,
    },
    /// `case`.
    Case {
        /// The word.
        word: Word,
        /// Patterns, and what they guard.
        arms: Vec<(Vec<Word>, Command)>,
        /// The line.
        line: u32,
    },
    /// A function.
    Function(String, Arc<Command>),
    /// `[[ … ]]` of bash: its words, operators being plain text.
    Test(Vec<Word>, u32),
}

/// A simple command.
#[derive(Debug, Default)]
pub(crate) struct Simple {
    /// The assignments before the first word.
    pub(crate) assignments: Vec<Assignment>,
    /// The words.
    pub(crate) words: Vec<Word>,
    /// The redirections.
    pub(crate) redirections: Vec<Redirection>,
    /// The line.
    pub(crate) line: u32,
}

/// An assignment.
#[derive(Debug)]
pub(crate) struct Assignment {
    /// The variable.
    pub(crate) name: String,
    /// The value.
    pub(crate) value: Word,
    /// Whether it is `+=`.
    pub(crate) appends: bool,
}

/// A redirection.
#[derive(Debug)]
pub(crate) struct Redirection {
    /// The descriptor.
    pub(crate) descriptor: u32,
    /// What happens to it.
    pub(crate) target: Target,
}

/// What happens to a descriptor.
#[derive(Debug)]
pub(crate) enum Target {
    /// `<`.
    Read(Word),
    /// `>`.
    Write(Word),
    /// `>|`.
    Clobber(Word),
    /// `>>`.
    Append(Word),
    /// `<>`.
    ReadWrite(Word),
    /// `<&` and `>&`.
    Duplicate(Word),
    /// `<<`; filled when its body has been read.
    Here(Arc<OnceLock<Word>>),
    /// `<<<` of bash.
    HereString(Word),
    /// `&>` of bash.
    Both(Word),
}

/// A word.
#[derive(Debug, Default, Clone)]
pub(crate) struct Word {
    /// Its parts.
    pub(crate) parts: Vec<Part>,
}

impl Word {
    /// Returns its text, where it is plain and unquoted.
    pub(crate) fn plain(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}

/// A part of a word.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// Text without quotes.
    Text(String),
    /// Text in quotes.
    Quoted(String),
    /// `$x`, `${x…}`.
    Parameter(Box<Parameter>),
    /// `$( … )` and backquotes.
    Substitution {
        /// The commands.
        body: Arc<Command>,
        /// Whether it stands in double quotes.
        is_quoted: bool,
    },
    /// `$(( … ))`.
    Arithmetic {
        /// The expression before its own expansion.
        body: Word,
        /// Whether it stands in double quotes.
        is_quoted: bool,
    },
    /// `~` and `~name`.
    Tilde(String),
}

/// An expansion of a parameter.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    /// Which.
    pub(crate) name: Name,
    /// What is done to its value.
    pub(crate) operation: Operation,
    /// Whether it stands in double quotes.
    pub(crate) is_quoted: bool,
}

/// The name of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name {
    /// A variable.
    Variable(String),
    /// `$1`, `${10}`.
    Positional(usize),
    /// One of `@*#?-$!` and `0`.
    Special(char),
}

/// What is done to the value of a parameter.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    /// Nothing.
    Plain,
    /// `${#x}`.
    Length,
    /// `${x-word}`; with the colon also where it is empty.
    Default(bool, Word),
    /// `${x=word}`.
    Assign(bool, Word),
    /// `${x?word}`.
    Error(bool, Word),
    /// `${x+word}`.
    Alternative(bool, Word),
    /// `${x#word}`; the longest for `##`.
    RemovePrefix(bool, Word),
    /// `${x%word}`; the longest for `%%`.
    RemoveSuffix(bool, Word),
    /// `${x:offset:length}` of bash.
    Slice(Word, Option<Word>),
    /// `${x/pattern/text}` of bash; all for `//`.
    Replace(bool, Word, Word),
    /// `${x^^}` and `${x,,}` of bash: upper case, else lower; all, else the first.
    Case(bool, bool),
    /// What no shell of this kind reads.
    Bad,
}
