//! Parsed texts, kept for the next shell that is given the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::parse::{Dialect, Parser, SyntaxError};
use super::tree::Command;

/// How many bytes of texts are kept.
const MOST_BYTES: usize = 4 << 20;

/// A parsed text.
#[derive(Debug)]
pub(super) struct Script {
    /// Its complete commands.
    pub(super) commands: Vec<Command>,
    /// What ended the reading.
    pub(super) error: Option<SyntaxError>,
    /// How many bytes the commands take.
    pub(super) length: usize,
    /// The line behind them.
    pub(super) line: u32,
    /// How many commands there were before a here-document that the end of the text has cut, and
    /// how far they reach.
    pub(super) whole: Option<(usize, usize, u32)>,
}

type Key = (Dialect, u32, Arc<str>);

/// The texts that are kept.
#[derive(Debug, Default)]
pub(crate) struct Scripts {
    kept: BTreeMap<Key, Arc<Script>>,
    bytes: usize,
}

impl Scripts {
    /// Returns a parsed text, where it is kept.
    pub(super) fn find(&self, key: &Key) -> Option<Arc<Script>> {
        self.kept.get(key).cloned()
    }

    /// Keeps a parsed text. Everything goes where it would be too much.
    pub(super) fn keep(&mut self, key: Key, script: Arc<Script>) {
        if self.bytes > MOST_BYTES {
            self.kept.clear();
            self.bytes = 0;
        }
        self.bytes += key.2.len() + 256;
        self.kept.insert(key, script);
    }
}

/// Parses a text as far as it goes.
pub(super) fn parse(text: &str, first_line: u32, dialect: Dialect) -> Script {
    let mut parser = Parser::new(text, first_line, dialect);
    let mut script = Script {
        commands: Vec::new(),
        error: None,
        length: 0,
        line: first_line,
        whole: None,
    };
    loop {
        match parser.next_command() {
            Ok(Some(command)) => {
                if parser.here_ended_early() && script.whole.is_none() {
                    script.whole = Some((script.commands.len(), script.length, script.line));
                }
                script.commands.push(command);
                script.length = parser.position();
                script.line = parser.line();
            }
            Ok(None) => {
                script.length = parser.position();
                script.line = parser.line();
                return script;
            }
            Err(error) => {
                script.error = Some(error);
                return script;
            }
        }
    }
}
