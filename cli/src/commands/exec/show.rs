//! What hosts print: as it is where there is one, in lines with a prefix where there are several, and
//! as JSON where a program reads it.

use anstyle::AnsiColor;
use report::Style;
use serde_json::{Value, json};

use crate::arguments::OutputFormat;
use crate::hosts::outcome::{Outcome, keep_tail};
use crate::hosts::selection::Chosen;
use crate::hosts::writer::{To, Writer};
use crate::world::World;

/// The longest line that is shown in one piece.
const LONGEST: usize = 64 << 10;
/// How much of each output stands in JSON.
const MOST: usize = 64 << 20;

/// The colours of prefixes, none of which is the red of errors.
const COLOURS: [AnsiColor; 5] = [
    AnsiColor::Cyan,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Yellow,
    AnsiColor::Blue,
];

/// How output is shown.
pub(super) struct Show {
    how: How,
    /// Whether a terminal sees standard output, and standard error.
    is_terminal: [bool; 2],
    styles: [Style; 2],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    AsItIs,
    Lines,
    Json,
}

impl Show {
    pub(super) fn new(world: &World, output: OutputFormat, chosen: &[Chosen]) -> Self {
        let how = match (output, chosen.len()) {
            (OutputFormat::Json, _) => How::Json,
            (OutputFormat::Table, 1) => How::AsItIs,
            (OutputFormat::Table, _) => How::Lines,
        };
        let is_terminal = [world.stdout.is_terminal, world.stderr.is_terminal];
        let style = |is| Style::wanted(is, world.var("NO_COLOR"), world.var("TERM"));
        Self {
            how,
            is_terminal,
            styles: is_terminal.map(style),
        }
    }

    /// Returns what takes one output of a host.
    pub(super) fn of(&self, number: usize, name: &str, to: To) -> Output<'_> {
        let place = usize::from(to == To::Stderr);
        let colour = COLOURS[number % COLOURS.len()].on_default();
        let prefix = match self.styles[place] {
            Style::Plain => format!("{name}: "),
            Style::Coloured => format!("{colour}{name}:{colour:#} "),
        };
        Output {
            show: self,
            to,
            prefix,
            is_terminal: self.is_terminal[place],
            rest: Vec::new(),
            kept: Vec::new(),
            dropped: 0,
            tail: Vec::new(),
        }
    }

    /// Tells what came of a host, where that is for a program to read.
    pub(super) async fn finish(
        &self,
        outcome: &mut Outcome,
        outputs: [Output<'_>; 2],
        writer: &Writer,
    ) {
        let [stdout, stderr] = outputs;
        outcome.tail = if stderr.tail.is_empty() {
            stdout.tail
        } else {
            stderr.tail
        };
        if self.how != How::Json {
            return;
        }
        let mut add = |name: &str, value: Value| outcome.details.insert(name.to_owned(), value);
        for (name, output) in [
            ("stdout", (stdout.kept, stdout.dropped)),
            ("stderr", (stderr.kept, stderr.dropped)),
        ] {
            let (kept, dropped) = output;
            add(name, json!(String::from_utf8_lossy(&kept)));
            if dropped > 0 {
                add(&format!("{name}_dropped_bytes"), json!(dropped));
            }
        }
        let line = format!("{}\n", outcome.to_json());
        writer.write(To::Stdout, line.into_bytes()).await;
    }
}

/// One output of a host.
pub(super) struct Output<'a> {
    show: &'a Show,
    to: To,
    prefix: String,
    is_terminal: bool,
    /// A line that has not come to its end.
    rest: Vec<u8>,
    /// Everything, for JSON.
    kept: Vec<u8>,
    dropped: usize,
    /// The end of it, for the summary.
    tail: Vec<u8>,
}

impl Output<'_> {
    /// Takes some of it.
    pub(super) async fn take(&mut self, bytes: &[u8], writer: &Writer) {
        match self.show.how {
            How::AsItIs => writer.write(self.to, bytes.to_vec()).await,
            How::Json => {
                let room = MOST.saturating_sub(self.kept.len()).min(bytes.len());
                self.kept.extend_from_slice(&bytes[..room]);
                self.dropped += bytes.len() - room;
            }
            How::Lines => {
                keep_tail(&mut self.tail, bytes);
                let lines = self.lines(bytes);
                writer.write(self.to, lines).await;
            }
        }
    }

    /// Takes note of its end.
    pub(super) async fn end(&mut self, writer: &Writer) {
        if !self.rest.is_empty() {
            let mut last = Vec::new();
            self.end_line(&mut last);
            writer.write(self.to, last).await;
        }
    }

    /// Returns the lines that are whole now, as one piece: others never come in between.
    fn lines(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut lines = Vec::with_capacity(bytes.len() + self.prefix.len());
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let complete = piece.strip_suffix(b"\n");
            self.rest.extend_from_slice(complete.unwrap_or(piece));
            if complete.is_some() || self.rest.len() >= LONGEST {
                self.end_line(&mut lines);
            }
        }
        lines
    }

    fn end_line(&mut self, lines: &mut Vec<u8>) {
        lines.extend_from_slice(self.prefix.as_bytes());
        if self.is_terminal {
            // A host must not move the cursor over what others have said.
            let text = String::from_utf8_lossy(&self.rest);
            lines.extend_from_slice(rig::observer::printable(&text).as_bytes());
        } else {
            lines.extend_from_slice(&self.rest);
        }
        lines.push(b'\n');
        self.rest.clear();
    }
}
