//! `sed`.

use std::sync::Arc;

use regex::bytes::Regex;

use super::options::{self, Value};
use super::posix::{self, Syntax, Wrong};
use super::text::{lines_of, without_end};
use super::{Invocation, Program};

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "sed",
    run: |invocation| Box::pin(sed(invocation)),
}];

/// The longest a script may run over one line.
const MOST_STEPS: usize = 100_000;

/// Where a command applies.
#[derive(Debug, Clone)]
enum Address {
    Line(usize),
    Step(usize, usize),
    Last,
    Regex(Arc<Regex>),
    /// That many lines more.
    More(usize),
}

#[derive(Debug, Clone)]
enum Action {
    Substitute {
        regex: Arc<Regex>,
        with: Vec<Piece>,
        nth: usize,
        is_all: bool,
        prints: bool,
    },
    Translate(Vec<char>, Vec<char>),
    Text(char, String),
    Branch(char, String),
    Label(String),
    /// Where the block ends.
    Block(usize),
    End,
    Quit(u8, bool),
    Simple(char),
}

/// A piece of a replacement.
#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Group(usize),
    /// `\U`, `\L`, `\E`.
    Case(char),
}

#[derive(Debug, Clone)]
struct Command {
    from: Option<Address>,
    to: Option<Address>,
    is_negated: bool,
    action: Action,
}

/// Why a script cannot be used.
enum Refusal {
    NotSimulated(String),
    Wrong(String),
}

impl From<Wrong> for Refusal {
    fn from(wrong: Wrong) -> Self {
        match wrong {
            Wrong::NotSimulated(what) => Self::NotSimulated(what.to_owned()),
            Wrong::Invalid => Self::NotSimulated("this expression".to_owned()),
        }
    }
}

struct Reader<'a> {
    all: &'a [char],
    at: usize,
    syntax: Syntax,
    commands: Vec<Command>,
    open: Vec<usize>,
    last: Option<Arc<Regex>>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.all.get(self.at).copied()
    }

    fn skip(&mut self, set: &str) {
        while self.peek().is_some_and(|one| set.contains(one)) {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Option<usize> {
        let start = self.at;
        while self.peek().is_some_and(|one| one.is_ascii_digit()) {
            self.at += 1;
        }
        let text: String = self.all[start..self.at].iter().collect();
        text.parse().ok()
    }

    /// Reads up to a delimiter; a backslash before it makes it plain.
    fn until(&mut self, delimiter: char, is_regex: bool) -> Result<String, Refusal> {
        let mut text = String::new();
        let mut is_in_set = false;
        loop {
            let Some(one) = self.peek() else {
                return Err(Refusal::Wrong("unterminated `s' command".to_owned()));
            };
            self.at += 1;
            match one {
                '\\' => match self.peek() {
                    Some(next) if next == delimiter => {
                        self.at += 1;
                        if !is_regex || next != delimiter || !".*[]^$+?(){}|".contains(next) {
                            text.push(next);
                        } else {
                            text.push('\\');
                            text.push(next);
                        }
                    }
                    Some(next) => {
                        self.at += 1;
                        text.push('\\');
                        text.push(next);
                    }
                    None => text.push('\\'),
                },
                one if one == delimiter && !is_in_set => return Ok(text),
                one => {
                    match one {
                        '[' if is_regex => is_in_set = true,
                        ']' if is_regex && !text.ends_with('[') && !text.ends_with("[^") => {
                            is_in_set = false
                        }
                        _ => {}
                    }
                    text.push(one);
                }
            }
        }
    }

    fn regex(&mut self, text: &str, ignores_case: bool) -> Result<Arc<Regex>, Refusal> {
        if text.is_empty() {
            return self
                .last
                .clone()
                .ok_or_else(|| Refusal::Wrong("no previous regular expression".to_owned()));
        }
        let regex = posix::compile(text, self.syntax, ignores_case)?;
        self.last = Some(Arc::clone(&regex));
        Ok(regex)
    }

    fn address(&mut self) -> Result<Option<Address>, Refusal> {
        Ok(match self.peek() {
            Some('$') => {
                self.at += 1;
                Some(Address::Last)
            }
            Some('+') => {
                self.at += 1;
                self.number().map(Address::More)
            }
            Some(one) if one.is_ascii_digit() => {
                let first = self.number().unwrap_or(0);
                if self.peek() == Some('~') {
                    self.at += 1;
                    return Ok(Some(Address::Step(first, self.number().unwrap_or(0))));
                }
                Some(Address::Line(first))
            }
            Some(one @ ('/' | '\\')) => {
                self.at += 1;
                let delimiter = if one == '\\' {
                    let delimiter = self.peek().unwrap_or('/');
                    self.at += 1;
                    delimiter
                } else {
                    one
                };
                let text = self.until(delimiter, true)?;
                let ignores_case = self.peek() == Some('I');
                self.at += usize::from(ignores_case);
                Some(Address::Regex(self.regex(&text, ignores_case)?))
            }
            _ => None,
        })
    }

    fn read(&mut self) -> Result<(), Refusal> {
        loop {
            self.skip(" \t\n;");
            if self.peek().is_none() {
                break;
            }
            let from = self.address()?;
            self.skip(" \t");
            let mut to = None;
            if from.is_some() && self.peek() == Some(',') {
                self.at += 1;
                self.skip(" \t");
                to = self.address()?;
            }
            self.skip(" \t");
            let mut is_negated = false;
            while self.peek() == Some('!') {
                is_negated = true;
                self.at += 1;
                self.skip(" \t");
            }
            let Some(letter) = self.peek() else {
                return Err(Refusal::Wrong("missing command".to_owned()));
            };
            self.at += 1;
            if letter == '#' {
                while self.peek().is_some_and(|one| one != '\n') {
                    self.at += 1;
                }
                continue;
            }
            let action = self.action(letter)?;
            self.commands.push(Command {
                from,
                to,
                is_negated,
                action,
            });
        }
        match self.open.is_empty() {
            true => Ok(()),
            false => Err(Refusal::Wrong("unmatched `{'".to_owned())),
        }
    }

    fn action(&mut self, letter: char) -> Result<Action, Refusal> {
        Ok(match letter {
            '{' => {
                self.open.push(self.commands.len());
                Action::Block(0)
            }
            '}' => {
                let end = self.commands.len();
                let Some(start) = self.open.pop() else {
                    return Err(Refusal::Wrong("unexpected `}'".to_owned()));
                };
                self.commands[start].action = Action::Block(end);
                Action::End
            }
            's' => self.substitute()?,
            'y' => {
                let delimiter = self.peek().unwrap_or('/');
                self.at += 1;
                let unescape = |text: String| {
                    text.replace("\\n", "\n")
                        .replace("\\t", "\t")
                        .replace("\\\\", "\\")
                        .chars()
                        .collect()
                };
                let from: Vec<char> = unescape(self.until(delimiter, false)?);
                let to: Vec<char> = unescape(self.until(delimiter, false)?);
                if from.len() != to.len() {
                    return Err(Refusal::Wrong(
                        "strings for `y' command are different lengths".to_owned(),
                    ));
                }
                Action::Translate(from, to)
            }
            'a' | 'i' | 'c' => Action::Text(letter, self.text()),
            'b' | 't' | 'T' => Action::Branch(letter, self.label()),
            ':' => Action::Label(self.label()),
            'q' | 'Q' => {
                self.skip(" \t");
                let code = self.number().unwrap_or(0);
                Action::Quit(u8::try_from(code).unwrap_or(1), letter == 'q')
            }
            'd' | 'D' | 'p' | 'P' | 'n' | 'N' | 'g' | 'G' | 'h' | 'H' | 'x' | '=' => {
                Action::Simple(letter)
            }
            letter => return Err(Refusal::NotSimulated(format!("the command {letter}"))),
        })
    }

    fn label(&mut self) -> String {
        self.skip(" \t");
        let start = self.at;
        while self
            .peek()
            .is_some_and(|one| !matches!(one, '\n' | ';' | '}'))
        {
            self.at += 1;
        }
        self.all[start..self.at]
            .iter()
            .collect::<String>()
            .trim()
            .to_owned()
    }

    fn text(&mut self) -> String {
        self.skip(" \t");
        if self.peek() == Some('\\') {
            self.at += 1;
            self.skip(" \t");
            if self.peek() == Some('\n') {
                self.at += 1;
            }
        }
        let mut text = String::new();
        while let Some(one) = self.peek() {
            self.at += 1;
            match one {
                '\n' => break,
                '\\' => {
                    if let Some(next) = self.peek() {
                        self.at += 1;
                        text.push(if next == 't' { '\t' } else { next });
                    }
                }
                one => text.push(one),
            }
        }
        text.push('\n');
        text
    }

    fn substitute(&mut self) -> Result<Action, Refusal> {
        let Some(delimiter) = self.peek() else {
            return Err(Refusal::Wrong("unterminated `s' command".to_owned()));
        };
        self.at += 1;
        let pattern = self.until(delimiter, true)?;
        let with = self.until(delimiter, false)?;
        let (mut nth, mut is_all, mut prints, mut ignores_case) = (1, false, false, false);
        loop {
            match self.peek() {
                Some('g') => is_all = true,
                Some('p') => prints = true,
                Some('i' | 'I') => ignores_case = true,
                Some(one) if one.is_ascii_digit() => {
                    nth = self.number().unwrap_or(1);
                    continue;
                }
                Some(one @ ('w' | 'e' | 'm' | 'M')) => {
                    return Err(Refusal::NotSimulated(format!("the flag {one} of s")));
                }
                Some(' ' | '\t' | '\n' | ';' | '}' | '#') | None => break,
                Some(_) => return Err(Refusal::Wrong("unknown option to `s'".to_owned())),
            }
            self.at += 1;
        }
        let regex = self.regex(&pattern, ignores_case)?;
        Ok(Action::Substitute {
            regex,
            with: pieces(&with),
            nth,
            is_all,
            prints,
        })
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(one) = rest.next() {
        let piece = match one {
            '&' => Piece::Group(0),
            '\\' => match rest.next() {
                Some(digit) if digit.is_ascii_digit() => {
                    Piece::Group(digit.to_digit(10).unwrap_or(0) as usize)
                }
                Some(letter @ ('U' | 'L' | 'E')) => Piece::Case(letter),
                Some('n') => {
                    plain.push('\n');
                    continue;
                }
                Some('t') => {
                    plain.push('\t');
                    continue;
                }
                Some(other) => {
                    plain.push(other);
                    continue;
                }
                None => continue,
            },
            one => {
                plain.push(one);
                continue;
            }
        };
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        pieces.push(piece);
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    pieces
}

/// Replaces in a line; `None` where nothing fits.
fn replaced(
    line: &[u8],
    regex: &Regex,
    with: &[Piece],
    nth: usize,
    is_all: bool,
) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut end = 0;
    let mut has_changed = false;
    for (index, captures) in regex.captures_iter(line).enumerate() {
        let Some(whole) = captures.get(0) else {
            continue;
        };
        if index + 1 < nth || (index + 1 > nth && !is_all) {
            continue;
        }
        has_changed = true;
        out.extend_from_slice(&line[end..whole.start()]);
        let mut case = 'E';
        for piece in with {
            let bytes = match piece {
                Piece::Text(text) => text.as_bytes().to_vec(),
                Piece::Group(number) => captures
                    .get(*number)
                    .map(|part| part.as_bytes().to_vec())
                    .unwrap_or_default(),
                Piece::Case(letter) => {
                    case = *letter;
                    continue;
                }
            };
            match case {
                'U' => out.extend(String::from_utf8_lossy(&bytes).to_uppercase().into_bytes()),
                'L' => out.extend(String::from_utf8_lossy(&bytes).to_lowercase().into_bytes()),
                _ => out.extend(bytes),
            }
        }
        end = whole.end();
    }
    out.extend_from_slice(&line[end..]);
    has_changed.then_some(out)
}

/// The state of a run.
struct Machine<'a> {
    commands: &'a [Command],
    lines: Vec<Vec<u8>>,
    /// Whether the last line has its end.
    has_end: bool,
    next: usize,
    pattern: Vec<u8>,
    hold: Vec<u8>,
    /// For each command, whether its range is open, and the line that ends it.
    ranges: Vec<Option<usize>>,
    is_quiet: bool,
    appended: Vec<u8>,
    out: Vec<u8>,
    status: Option<u8>,
}

impl Machine<'_> {
    fn fits(&self, address: &Address) -> bool {
        match address {
            Address::Line(number) => self.next == *number,
            Address::Step(first, 0) => self.next == *first,
            Address::Step(first, step) => {
                self.next >= *first && (self.next - first).is_multiple_of(*step)
            }
            Address::Last => self.next == self.lines.len(),
            Address::Regex(regex) => regex.is_match(&self.pattern),
            Address::More(_) => false,
        }
    }

    fn applies(&mut self, at: usize) -> bool {
        let command = &self.commands[at];
        let answer = match (&command.from, &command.to) {
            (None, _) => true,
            (Some(from), None) => self.fits(from),
            (Some(from), Some(to)) => match self.ranges[at] {
                Some(end) => {
                    let is_last = match to {
                        Address::Regex(_) | Address::Last | Address::Step(..) => self.fits(to),
                        Address::Line(_) | Address::More(_) => self.next >= end,
                    };
                    if is_last {
                        self.ranges[at] = None;
                    }
                    !matches!(to, Address::Line(_)) || self.next <= end
                }
                None if self.fits(from) || matches!(from, Address::Line(0)) && self.next == 1 => {
                    let end = match to {
                        Address::Line(number) => *number,
                        Address::More(count) => self.next + count,
                        _ => usize::MAX,
                    };
                    if end > self.next {
                        self.ranges[at] = Some(end);
                    }
                    true
                }
                None => false,
            },
        };
        answer != command.is_negated
    }

    fn print(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
        if self.next < self.lines.len() || self.has_end {
            self.out.push(b'\n');
        }
    }

    fn run(&mut self) -> Result<(), &'static str> {
        while self.next < self.lines.len() && self.status.is_none() {
            self.pattern = std::mem::take(&mut self.lines[self.next]);
            self.next += 1;
            self.cycle()?;
        }
        Ok(())
    }

    fn end_cycle(&mut self) {
        if !self.is_quiet {
            let pattern = std::mem::take(&mut self.pattern);
            self.print(&pattern);
        }
        self.out.append(&mut self.appended);
    }

    fn cycle(&mut self) -> Result<(), &'static str> {
        let (mut at, mut steps, mut has_replaced) = (0, 0, false);
        while at < self.commands.len() {
            steps += 1;
            if steps > MOST_STEPS {
                return Err("a script that does not end");
            }
            let applies = self.applies(at);
            let commands = self.commands;
            let action = &commands[at].action;
            if !applies {
                at = match action {
                    Action::Block(end) => *end + 1,
                    _ => at + 1,
                };
                continue;
            }
            at += 1;
            match action {
                Action::Substitute {
                    regex,
                    with,
                    nth,
                    is_all,
                    prints,
                } => {
                    if let Some(line) = replaced(&self.pattern, regex, with, *nth, *is_all) {
                        self.pattern = line;
                        has_replaced = true;
                        if *prints {
                            let pattern = self.pattern.clone();
                            self.print(&pattern);
                        }
                    }
                }
                Action::Translate(from, to) => {
                    let text = String::from_utf8_lossy(&self.pattern).into_owned();
                    let change = |one: char| {
                        from.iter()
                            .position(|other| *other == one)
                            .map_or(one, |at| to[at])
                    };
                    self.pattern = text.chars().map(change).collect::<String>().into_bytes();
                }
                Action::Text('a', text) => self.appended.extend_from_slice(text.as_bytes()),
                Action::Text('i', text) => self.out.extend_from_slice(text.as_bytes()),
                Action::Text(_, text) => {
                    // In a range the text comes once, at its end.
                    if commands[at - 1].to.is_none() || self.ranges[at - 1].is_none() {
                        self.out.extend_from_slice(text.as_bytes());
                    }
                    return Ok(());
                }
                Action::Branch(letter, label) => {
                    let goes = match letter {
                        'b' => true,
                        't' => std::mem::take(&mut has_replaced),
                        _ => !std::mem::take(&mut has_replaced),
                    };
                    if goes {
                        let place = commands.iter().position(
                            |one| matches!(&one.action, Action::Label(name) if name == label),
                        );
                        at = place.unwrap_or(commands.len());
                    }
                }
                Action::Label(_) | Action::Block(_) | Action::End => {}
                Action::Quit(code, prints) => {
                    self.status = Some(*code);
                    if *prints {
                        self.end_cycle();
                    }
                    return Ok(());
                }
                Action::Simple(letter) => match letter {
                    'd' => {
                        self.out.append(&mut self.appended);
                        return Ok(());
                    }
                    'D' => {
                        let Some(end) = self.pattern.iter().position(|byte| *byte == b'\n') else {
                            return Ok(());
                        };
                        self.pattern.drain(..=end);
                        at = 0;
                    }
                    'n' | 'N' => {
                        if self.next >= self.lines.len() {
                            self.status = Some(0);
                            self.end_cycle();
                            return Ok(());
                        }
                        if *letter == 'n' {
                            self.end_cycle();
                            self.pattern.clear();
                        } else {
                            self.pattern.push(b'\n');
                        }
                        let line = std::mem::take(&mut self.lines[self.next]);
                        self.pattern.extend(line);
                        self.next += 1;
                    }
                    letter => self.simple(*letter),
                },
            }
        }
        self.end_cycle();
        Ok(())
    }

    fn simple(&mut self, letter: char) {
        match letter {
            'p' => {
                let pattern = self.pattern.clone();
                self.print(&pattern);
            }
            'P' => {
                let end = self
                    .pattern
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .unwrap_or(self.pattern.len());
                let first = self.pattern[..end].to_vec();
                self.print(&first);
            }
            'g' => self.pattern.clone_from(&self.hold),
            'G' => {
                self.pattern.push(b'\n');
                self.pattern.extend_from_slice(&self.hold);
            }
            'h' => self.hold.clone_from(&self.pattern),
            'H' => {
                self.hold.push(b'\n');
                self.hold.extend_from_slice(&self.pattern);
            }
            'x' => std::mem::swap(&mut self.hold, &mut self.pattern),
            _ => self.out.extend(format!("{}\n", self.next).into_bytes()),
        }
    }
}

async fn sed(invocation: &mut Invocation) -> u8 {
    // `-i.bak` has its value behind it.
    for word in &mut invocation.arguments {
        if let Some(rest) = word.strip_prefix("-i").map(str::to_owned) {
            *word = format!("--in-place={rest}");
        } else if word == "-ni" {
            return invocation.not_simulated("the options -ni");
        }
    }
    let long = [
        ("quiet", 'n', Value::None),
        ("silent", 'n', Value::None),
        ("expression", 'e', Value::Needed),
        ("file", 'f', Value::Needed),
        ("regexp-extended", 'E', Value::None),
        ("in-place", 'i', Value::Optional),
        ("null-data", 'z', Value::None),
        ("separate", 's', Value::None),
        ("unbuffered", 'u', Value::None),
    ];
    let mut options = match options::read(invocation, "ne:f:Erus", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.has('z') {
        return invocation.not_simulated("the option -z");
    }
    let mut parts: Vec<String> = Vec::new();
    for (flag, value) in options.flags.clone() {
        match flag {
            'e' => parts.push(value),
            'f' => match invocation.read_operand(&value).await {
                Some(bytes) => parts.push(String::from_utf8_lossy(&bytes).into_owned()),
                None => return 1,
            },
            _ => {}
        }
    }
    if parts.is_empty() {
        if options.operands.is_empty() {
            return invocation.not_simulated("a call without a script");
        }
        parts.push(options.operands.remove(0));
    }
    let all: Vec<char> = parts.join("\n").chars().collect();
    let syntax = if options.has('E') || options.has('r') {
        Syntax::Extended
    } else {
        Syntax::Basic
    };
    let mut reader = Reader {
        all: &all,
        at: 0,
        syntax,
        commands: Vec::new(),
        open: Vec::new(),
        last: None,
    };
    match reader.read() {
        Ok(()) => {}
        Err(Refusal::NotSimulated(what)) => return invocation.not_simulated(&what),
        Err(Refusal::Wrong(text)) => {
            let at = reader.at;
            invocation.error(&format!("-e expression #1, char {at}: {text}"));
            return 1;
        }
    }
    let commands = reader.commands;
    let is_quiet = options.has('n') || parts[0].starts_with("#n\n");
    match options.value('i').map(str::to_owned) {
        Some(suffix) => in_place(invocation, &commands, &options.operands, is_quiet, &suffix).await,
        None => as_stream(invocation, &commands, &options.operands, is_quiet).await,
    }
}

fn run(commands: &[Command], bytes: &[u8], is_quiet: bool) -> Result<(Vec<u8>, u8), &'static str> {
    let lines: Vec<Vec<u8>> = lines_of(bytes)
        .into_iter()
        .map(|line| without_end(line).to_vec())
        .collect();
    let mut machine = Machine {
        commands,
        lines,
        has_end: bytes.ends_with(b"\n"),
        next: 0,
        pattern: Vec::new(),
        hold: Vec::new(),
        ranges: vec![None; commands.len()],
        is_quiet,
        appended: Vec::new(),
        out: Vec::new(),
        status: None,
    };
    machine.run()?;
    Ok((machine.out, machine.status.unwrap_or(0)))
}

async fn as_stream(
    invocation: &mut Invocation,
    commands: &[Command],
    operands: &[String],
    is_quiet: bool,
) -> u8 {
    let mut bytes = Vec::new();
    let mut status = 0;
    let input = ["-".to_owned()];
    let operands = if operands.is_empty() {
        &input
    } else {
        operands
    };
    for operand in operands {
        match operand.as_str() {
            "-" => bytes.extend(invocation.read_input().await),
            operand => match invocation.opener().content(&invocation.path(operand)) {
                Ok(content) => bytes.extend(content.whole()),
                Err(crate::files::Errno::IsDirectory) => {
                    invocation.error(&format!("couldn't edit {operand}: not a regular file"));
                    status = 2;
                }
                Err(errno) => {
                    invocation.error(&format!("can't read {operand}: {errno}"));
                    status = 2;
                }
            },
        }
    }
    match run(commands, &bytes, is_quiet) {
        Ok((out, code)) => {
            invocation.print_bytes(&out);
            if code > 0 { code } else { status }
        }
        Err(what) => invocation.not_simulated(what),
    }
}

async fn in_place(
    invocation: &mut Invocation,
    commands: &[Command],
    operands: &[String],
    is_quiet: bool,
    suffix: &str,
) -> u8 {
    let mut status = 0;
    for operand in operands {
        let path = invocation.path(operand);
        let content = match invocation.opener().content(&path) {
            Ok(content) => content,
            Err(errno) => {
                invocation.error(&format!("can't read {operand}: {errno}"));
                status = 4;
                continue;
            }
        };
        let bytes = content.whole();
        let (out, code) = match run(commands, &bytes, is_quiet) {
            Ok(result) => result,
            Err(what) => return invocation.not_simulated(what),
        };
        status = status.max(code);
        let written = invocation.files(|files, who, now| {
            let stat = files.stat(&path, crate::files::Follow::Yes, who)?;
            if !suffix.is_empty() {
                files.write(&format!("{path}{suffix}"), content, stat.mode, who, now)?;
            }
            // A new file takes the place of the old one.
            let temporary = format!("{path}.sed-new");
            files.write(&temporary, out, stat.mode, who, now)?;
            files.set_mode(&temporary, stat.mode, who)?;
            files
                .set_owner(
                    &temporary,
                    Some(stat.uid),
                    Some(stat.gid),
                    crate::files::Follow::No,
                    who,
                )
                .ok();
            files.rename(&temporary, &path, who, now)
        });
        if let Err(errno) = written {
            let (directory, _) = crate::files::split(&path);
            let temporary = format!("{directory}/sedq3Zx7K");
            // A file that is mounted cannot be replaced.
            let what = match errno {
                crate::files::Errno::Busy => "cannot rename",
                _ => "couldn't open temporary file",
            };
            invocation.error(&format!("{what} {temporary}: {errno}"));
            return 4;
        }
    }
    status
}
