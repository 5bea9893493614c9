//! The commands that a shell runs itself.

mod flow;
mod input;
mod name;
mod output;
mod process;
mod state;

use futures_util::future::BoxFuture;

use super::expand::Fault;
use super::parse::Dialect;
use super::{Flow, Shell};

/// What a builtin returns.
pub(super) type Done = Result<Flow, Fault>;

/// A builtin.
pub(super) struct Builtin {
    /// Its name.
    pub(super) name: &'static str,
    /// Whether POSIX calls it special: its errors end the shell, its assignments stay.
    pub(super) is_special: bool,
    /// Runs it with its words, the name first.
    pub(super) run: for<'a> fn(&'a mut Shell, Vec<String>) -> BoxFuture<'a, Done>,
}

/// All tables.
const TABLES: &[&[Builtin]] = &[
    flow::BUILTINS,
    input::BUILTINS,
    name::BUILTINS,
    output::BUILTINS,
    process::BUILTINS,
    state::BUILTINS,
];

/// What only bash has.
const OF_BASH: &[&str] = &[
    "source", "declare", "typeset", "shopt", "let", "mapfile", "builtin",
];

/// Returns the builtin with a name.
pub(super) fn find(name: &str, dialect: Dialect) -> Option<&'static Builtin> {
    let found = TABLES
        .iter()
        .flat_map(|table| table.iter())
        .find(|builtin| builtin.name == name);
    found.filter(|builtin| dialect == Dialect::Bash || !OF_BASH.contains(&builtin.name))
}

impl Shell {
    /// Ends a builtin with a status.
    pub(super) fn done(&mut self, status: u8) -> Done {
        self.status = status;
        Ok(Flow::Next)
    }

    /// Complains of an option that there is not.
    fn illegal_option(&mut self, letter: char) -> Fault {
        self.fail(&format!("Illegal option -{letter}"))
    }

    /// Reads a number that a builtin is given.
    fn number(&mut self, text: &str) -> Result<u32, Fault> {
        text.parse()
            .ok()
            .ok_or_else(|| self.fail(&format!("Illegal number: {text}")))
    }

    /// Splits the letters of options from operands; `known` holds the letters that there are.
    fn letters(&mut self, words: &[String], known: &str) -> Result<(String, Vec<String>), Fault> {
        let mut letters = String::new();
        let mut at = 1;
        while let Some(word) = words.get(at) {
            if word == "--" {
                at += 1;
                break;
            }
            if word.len() < 2 || !word.starts_with('-') {
                break;
            }
            for letter in word[1..].chars() {
                if !known.contains(letter) {
                    return Err(self.illegal_option(letter));
                }
                letters.push(letter);
            }
            at += 1;
        }
        Ok((letters, words.get(at..).unwrap_or_default().to_vec()))
    }
}
