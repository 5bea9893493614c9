//! Words: quotes and expansions, up to what ends them.

use std::sync::Arc;

use super::parse::{Dialect, Parsed, Parser};
use super::tree::{Name, Operation, Parameter, Part, Word};

/// Returns a word that is one quoted text.
pub(super) fn quoted(text: String) -> Word {
    Word {
        parts: vec![Part::Quoted(text)],
    }
}

/// Splits `name=value`; the last is whether it is `name+=value`.
pub(super) fn split_assignment(word: &Word, dialect: Dialect) -> Option<(String, Word, bool)> {
    let Some(Part::Text(first)) = word.parts.first() else {
        return None;
    };
    let (name, value) = first.split_once('=')?;
    let (name, appends) = match name.strip_suffix('+') {
        Some(name) if dialect == Dialect::Bash => (name, true),
        _ => (name, false),
    };
    if !super::parse::is_name(name) {
        return None;
    }
    let mut parts = Vec::with_capacity(word.parts.len());
    if !value.is_empty() {
        parts.push(Part::Text(value.to_owned()));
    }
    parts.extend(word.parts[1..].iter().cloned());
    Some((name.to_owned(), with_tildes(parts, true), appends))
}

/// Makes the tildes of a word what they are; in an assignment also those behind colons.
fn with_tildes(parts: Vec<Part>, is_assignment: bool) -> Word {
    let mut done = Vec::with_capacity(parts.len());
    let count = parts.len();
    for (index, part) in parts.into_iter().enumerate() {
        match part {
            Part::Text(text) if text.contains('~') => {
                let is_last = index + 1 == count;
                tildes_of(&text, index == 0, is_last, is_assignment, &mut done);
            }
            part => done.push(part),
        }
    }
    Word { parts: done }
}

fn tildes_of(text: &str, is_first: bool, is_last: bool, is_assignment: bool, done: &mut Vec<Part>) {
    let pieces: Vec<&str> = match is_assignment {
        true => text.split_inclusive(':').collect(),
        false => vec![text],
    };
    let last = pieces.len() - 1;
    for (index, piece) in pieces.iter().enumerate() {
        let starts = piece.starts_with('~') && (index > 0 || is_first);
        let end = piece.find(['/', ':']).unwrap_or(piece.len());
        // `~"user"` is no tilde: what follows belongs to the name.
        let is_whole = end < piece.len() || (index == last && is_last);
        if starts && is_whole && (is_assignment || !piece[..end].contains(':')) {
            done.push(Part::Tilde(piece[1..end].to_owned()));
            if end < piece.len() {
                done.push(Part::Text(piece[end..].to_owned()));
            }
        } else {
            done.push(Part::Text((*piece).to_owned()));
        }
    }
}

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In no quotes; blanks and operators end it.
    Plain,
    /// In `"…"`.
    Quotes,
    /// In the body of a here-document.
    Here,
    /// Behind the operator of `${…}`, outside quotes or where quotes count.
    Brace,
    /// Behind the operator of `${…}`, inside quotes.
    BraceInQuotes,
    /// In `$((…))`.
    Arithmetic,
}

impl Place {
    fn is_quoted(self) -> bool {
        matches!(
            self,
            Self::Quotes | Self::Here | Self::BraceInQuotes | Self::Arithmetic
        )
    }
}

/// The parts of a word that is being read.
#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn text(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ => self.0.push(Part::Text(text.to_owned())),
        }
    }

    fn quoted(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Part::Quoted(last)) => last.push_str(text),
            _ => self.0.push(Part::Quoted(text.to_owned())),
        }
    }
}

impl Parser<'_> {
    /// Reads a word.
    pub(super) fn word(&mut self) -> Parsed<Word> {
        let mut parts = Parts::default();
        self.parts(&mut parts, Place::Plain)?;
        Ok(with_tildes(parts.0, false))
    }

    /// Reads the whole text as the body of a here-document.
    pub(super) fn here_document(&mut self) -> Parsed<Word> {
        let mut parts = Parts::default();
        self.parts(&mut parts, Place::Here)?;
        Ok(Word { parts: parts.0 })
    }

    /// Reads the delimiter of a here-document; the second is whether it is quoted.
    pub(super) fn delimiter(&mut self) -> Parsed<(String, bool)> {
        let mut text = String::new();
        let mut is_quoted = false;
        let mut quote = None;
        while let Some(one) = self.character() {
            match (quote, one) {
                (Some(open), _) if one == open => quote = None,
                (Some(_), _) => text.push(one),
                (None, '\'' | '"') => {
                    quote = Some(one);
                    is_quoted = true;
                }
                (None, '\\') => {
                    self.step(one);
                    is_quoted = true;
                    let Some(next) = self.character() else { break };
                    text.push(next);
                }
                (None, ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')') => break,
                (None, _) => text.push(one),
            }
            if let Some(one) = self.character() {
                self.step(one);
            }
        }
        if quote.is_some() {
            return Err(self.incomplete("Unterminated quoted string"));
        }
        Ok((text, is_quoted))
    }

    fn character(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn step(&mut self, one: char) {
        self.at += one.len_utf8();
        if one == '\n' {
            self.line += 1;
        }
    }

    fn follows(&self, text: &str) -> bool {
        self.text[self.at..].starts_with(text)
    }

    /// Reads parts up to what ends them, which is not read.
    fn parts(&mut self, parts: &mut Parts, place: Place) -> Parsed<()> {
        let mut open = 0usize;
        loop {
            self.run_of_text(parts, place);
            let Some(one) = self.character() else {
                return match place {
                    Place::Plain | Place::Here => Ok(()),
                    Place::Quotes => Err(self.incomplete("Unterminated quoted string")),
                    Place::Brace | Place::BraceInQuotes => Err(self.incomplete("Missing '}'")),
                    Place::Arithmetic => Err(self.incomplete("Missing '))'")),
                };
            };
            match (place, one) {
                (Place::Plain, ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')')
                | (Place::Quotes, '"')
                | (Place::Brace | Place::BraceInQuotes, '}') => return Ok(()),
                (Place::Arithmetic, '(') => {
                    open += 1;
                    self.step(one);
                    parts.quoted("(");
                }
                (Place::Arithmetic, ')') => {
                    if open == 0 {
                        return Ok(());
                    }
                    open -= 1;
                    self.step(one);
                    parts.quoted(")");
                }
                (_, '\\') => self.escape(parts, place)?,
                (Place::Plain | Place::Brace, '\'') => {
                    self.step(one);
                    let rest = &self.text[self.at..];
                    let Some(length) = rest.find('\'') else {
                        self.line += newlines(rest);
                        return Err(self.incomplete("Unterminated quoted string"));
                    };
                    let text = &rest[..length];
                    parts.quoted(text);
                    self.line += newlines(text);
                    self.at += length + 1;
                }
                (Place::Plain | Place::Brace | Place::BraceInQuotes | Place::Arithmetic, '"') => {
                    self.step(one);
                    self.double_quoted(parts)?;
                }
                (_, '$') => self.dollar(parts, place)?,
                (_, '`') => {
                    let body = self.backquoted(place.is_quoted())?;
                    parts.0.push(body);
                }
                (_, _) => {
                    self.step(one);
                    let mut buffer = [0; 4];
                    let text = one.encode_utf8(&mut buffer);
                    match place.is_quoted() {
                        true => parts.quoted(text),
                        false => parts.text(text),
                    }
                }
            }
        }
    }

    /// Takes the text up to the next character that may mean something.
    fn run_of_text(&mut self, parts: &mut Parts, place: Place) {
        let rest = &self.text[self.at..];
        let length = rest
            .bytes()
            .position(|byte| {
                matches!(
                    byte,
                    b'\\'
                        | b'\''
                        | b'"'
                        | b'$'
                        | b'`'
                        | b'}'
                        | b' '
                        | b'\t'
                        | b'\n'
                        | b';'
                        | b'&'
                        | b'|'
                        | b'<'
                        | b'>'
                        | b'('
                        | b')'
                )
            })
            .unwrap_or(rest.len());
        if length > 0 {
            let text = &rest[..length];
            match place.is_quoted() {
                true => parts.quoted(text),
                false => parts.text(text),
            }
            self.at += length;
        }
    }

    fn double_quoted(&mut self, parts: &mut Parts) -> Parsed<()> {
        if self.follows("\"") {
            self.step('"');
            parts.quoted("");
            return Ok(());
        }
        self.deeper(|parser| parser.parts(parts, Place::Quotes))?;
        self.step('"');
        Ok(())
    }

    fn escape(&mut self, parts: &mut Parts, place: Place) -> Parsed<()> {
        self.step('\\');
        let Some(next) = self.character() else {
            parts.quoted("\\");
            return Ok(());
        };
        self.step(next);
        if next == '\n' {
            return Ok(());
        }
        let counts = match place {
            Place::Plain | Place::Brace => true,
            Place::Quotes => matches!(next, '$' | '`' | '"' | '\\'),
            Place::BraceInQuotes => matches!(next, '$' | '`' | '"' | '\\' | '}'),
            Place::Here | Place::Arithmetic => matches!(next, '$' | '`' | '\\'),
        };
        if !counts {
            parts.quoted("\\");
        }
        let mut buffer = [0; 4];
        parts.quoted(next.encode_utf8(&mut buffer));
        Ok(())
    }

    fn dollar(&mut self, parts: &mut Parts, place: Place) -> Parsed<()> {
        self.step('$');
        let is_quoted = place.is_quoted();
        if self.follows("((") {
            self.at += 2;
            let mut body = Parts::default();
            self.deeper(|parser| parser.parts(&mut body, Place::Arithmetic))?;
            if !self.follows("))") {
                return Err(match self.at + 1 >= self.text.len() {
                    true => self.incomplete("Missing '))'"),
                    false => self.error("Missing '))'"),
                });
            }
            self.at += 2;
            parts.0.push(Part::Arithmetic {
                body: Word { parts: body.0 },
                is_quoted,
            });
            return Ok(());
        }
        if self.follows("(") {
            self.at += 1;
            let body = Arc::new(self.substitution()?);
            parts.0.push(Part::Substitution { body, is_quoted });
            return Ok(());
        }
        if self.follows("{") {
            self.at += 1;
            let parameter = self.deeper(|parser| parser.braced(place))?;
            parts.0.push(Part::Parameter(Box::new(parameter)));
            return Ok(());
        }
        if self.dialect == Dialect::Bash && place == Place::Plain && self.follows("'") {
            return self.ansi_quoted(parts);
        }
        match self.name() {
            Some(name) => parts.0.push(Part::Parameter(Box::new(Parameter {
                name,
                operation: Operation::Plain,
                is_quoted,
            }))),
            None if is_quoted => parts.quoted("$"),
            None => parts.text("$"),
        }
        Ok(())
    }

    /// `$'…'` of bash.
    fn ansi_quoted(&mut self, parts: &mut Parts) -> Parsed<()> {
        self.step('\'');
        let start = self.at;
        while let Some(one) = self.character() {
            if one == '\'' {
                let text = super::format::unescape(&self.text[start..self.at]).0;
                parts.quoted(&String::from_utf8_lossy(&text));
                self.step(one);
                return Ok(());
            }
            self.step(one);
            if one == '\\'
                && let Some(next) = self.character()
            {
                self.step(next);
            }
        }
        Err(self.incomplete("Unterminated quoted string"))
    }

    /// Reads the name of a parameter behind a dollar.
    fn name(&mut self) -> Option<Name> {
        let one = self.character()?;
        if one.is_ascii_alphabetic() || one == '_' {
            return Some(Name::Variable(self.identifier()));
        }
        if matches!(one, '@' | '*' | '#' | '?' | '-' | '$' | '!' | '0') {
            self.step(one);
            return Some(Name::Special(one));
        }
        let digit = one.to_digit(10)?;
        self.step(one);
        Some(Name::Positional(digit as usize))
    }

    fn identifier(&mut self) -> String {
        let rest = &self.text[self.at..];
        let length = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count();
        self.at += length;
        rest[..length].to_owned()
    }

    /// Reads what stands in `${…}`, and its end.
    fn braced(&mut self, place: Place) -> Parsed<Parameter> {
        let is_quoted = place.is_quoted();
        let rest = &self.text[self.at..];
        let is_length = rest.starts_with('#')
            && rest[1..].starts_with(|one: char| {
                one.is_ascii_alphanumeric() || matches!(one, '_' | '@' | '*' | '?' | '$' | '!')
            });
        if is_length {
            self.at += 1;
        }
        let digits = self.text[self.at..]
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        let name = if digits > 0 {
            let number = self.text[self.at..self.at + digits]
                .parse()
                .unwrap_or(usize::MAX);
            self.at += digits;
            Some(match number {
                0 => Name::Special('0'),
                number => Name::Positional(number),
            })
        } else {
            self.name()
        };
        let operation = match &name {
            None => self.bad()?,
            Some(_) if is_length => match self.follows("}") {
                true => Operation::Length,
                false => self.bad()?,
            },
            Some(_) => self.operation(is_quoted)?,
        };
        if !self.follows("}") {
            return Err(self.incomplete("Missing '}'"));
        }
        self.at += 1;
        Ok(Parameter {
            name: name.unwrap_or(Name::Special('?')),
            operation,
            is_quoted,
        })
    }

    fn bad(&mut self) -> Parsed<Operation> {
        let mut ignored = Parts::default();
        self.parts(&mut ignored, Place::BraceInQuotes)?;
        Ok(Operation::Bad)
    }

    fn operation(&mut self, is_quoted: bool) -> Parsed<Operation> {
        if self.follows("}") {
            return Ok(Operation::Plain);
        }
        let has_colon = self.follows(":");
        let at = self.at + usize::from(has_colon);
        let one = self.text[at..].chars().next();
        let kind = one.filter(|one| matches!(one, '-' | '=' | '?' | '+'));
        if let Some(kind) = kind {
            self.at = at + 1;
            let word = self.brace_word(is_quoted)?;
            return Ok(match kind {
                '-' => Operation::Default(has_colon, word),
                '=' => Operation::Assign(has_colon, word),
                '?' => Operation::Error(has_colon, word),
                _ => Operation::Alternative(has_colon, word),
            });
        }
        for (text, is_prefix, is_longest) in [
            ("##", true, true),
            ("%%", false, true),
            ("#", true, false),
            ("%", false, false),
        ] {
            if self.follows(text) {
                self.at += text.len();
                let word = self.brace_word(false)?;
                return Ok(match is_prefix {
                    true => Operation::RemovePrefix(is_longest, word),
                    false => Operation::RemoveSuffix(is_longest, word),
                });
            }
        }
        match self.dialect {
            Dialect::Bash => self.bash_operation(has_colon),
            Dialect::Posix => self.bad(),
        }
    }

    fn bash_operation(&mut self, has_colon: bool) -> Parsed<Operation> {
        for (text, is_upper, is_all) in [
            ("^^", true, true),
            (",,", false, true),
            ("^", true, false),
            (",", false, false),
        ] {
            if self.follows(&format!("{text}}}")) {
                self.at += text.len();
                return Ok(Operation::Case(is_upper, is_all));
            }
        }
        let start = self.at;
        if has_colon {
            self.at += 1;
            let word = self.brace_word(true)?;
            return Ok(match split_at(&word, ':') {
                Some((offset, length)) => Operation::Slice(offset, Some(length)),
                None => Operation::Slice(word, None),
            });
        }
        if self.follows("/") {
            let is_all = self.follows("//");
            self.at += 1 + usize::from(is_all);
            let word = self.brace_word(false)?;
            return Ok(match split_at(&word, '/') {
                Some((pattern, text)) => Operation::Replace(is_all, pattern, text),
                None => Operation::Replace(is_all, word, Word::default()),
            });
        }
        self.at = start;
        self.bad()
    }

    fn brace_word(&mut self, is_quoted: bool) -> Parsed<Word> {
        let mut parts = Parts::default();
        let place = match is_quoted {
            true => Place::BraceInQuotes,
            false => Place::Brace,
        };
        self.parts(&mut parts, place)?;
        Ok(match is_quoted {
            true => Word { parts: parts.0 },
            false => with_tildes(parts.0, false),
        })
    }

    fn backquoted(&mut self, is_quoted: bool) -> Parsed<Part> {
        self.step('`');
        let mut text = String::new();
        loop {
            let Some(one) = self.character() else {
                return Err(self.incomplete("EOF in backquote substitution"));
            };
            self.step(one);
            match one {
                '`' => break,
                '\\' => match self.character() {
                    Some(next)
                        if matches!(next, '`' | '\\' | '$') || (is_quoted && next == '"') =>
                    {
                        self.step(next);
                        text.push(next);
                    }
                    _ => text.push('\\'),
                },
                one => text.push(one),
            }
        }
        let body = self.within(&text, 1).whole()?;
        Ok(Part::Substitution {
            body: Arc::new(body),
            is_quoted,
        })
    }
}

fn newlines(text: &str) -> u32 {
    let count = text.bytes().filter(|byte| *byte == b'\n').count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Splits a word at the first occurrence of a character in plain text.
fn split_at(word: &Word, separator: char) -> Option<(Word, Word)> {
    for (index, part) in word.parts.iter().enumerate() {
        let (Part::Text(text) | Part::Quoted(text)) = part else {
            continue;
        };
        let Some((left, right)) = text.split_once(separator) else {
            continue;
        };
        let again = |text: &str| match part {
            Part::Text(_) => Part::Text(text.to_owned()),
            _ => Part::Quoted(text.to_owned()),
        };
        let mut before = word.parts[..index].to_vec();
        before.push(again(left));
        let mut after = vec![again(right)];
        after.extend(word.parts[index + 1..].iter().cloned());
        return Some((Word { parts: before }, Word { parts: after }));
    }
    None
}
