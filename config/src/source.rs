//! The text of a configuration as it was given, and places in it.

use std::fmt;

use crate::code::Code;
use crate::diagnostic::Diagnostic;

/// The largest document that is read, in bytes.
///
/// One of 5000 hosts fits, and one that was made to hurt is refused in a tenth of a second.
pub const LARGEST_DOCUMENT: usize = 1 << 20;

/// A document as it was read, with the name that messages give it.
pub struct Source {
    /// The name (`launchpad.yaml`, `<stdin>`).
    pub name: String,
    /// The bytes.
    pub text: Vec<u8>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A line and a column, both counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A range of bytes of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct Span {
    /// Where it starts.
    pub(crate) start: usize,
    /// Where it ends, exclusive.
    pub(crate) end: usize,
}

/// The decoded text, with the start of each line.
pub(crate) struct Text {
    /// The name of the document.
    pub(crate) name: String,
    /// The whole text, without a byte order mark.
    pub(crate) text: String,
    starts: Vec<usize>,
}

impl Text {
    /// Decodes a document: UTF-8, or UTF-16 behind a byte order mark.
    ///
    /// # Errors
    ///
    /// Fails where the bytes are neither, are too many, or are no text.
    pub(crate) fn decode(source: Source) -> Result<Self, Box<Diagnostic>> {
        let Source { name, text } = source;
        if text.len() > LARGEST_DOCUMENT {
            let limit = LARGEST_DOCUMENT >> 20;
            let message = format!("the configuration is larger than {limit} MiB");
            return Err(Box::new(Diagnostic::of_file(Code::TooLarge, name, message)));
        }
        let (text, bad) = decode(text);
        let text = Self::new(name, text);
        let nul = || text.text.find('\0').map(|at| (at, Bad::Nul));
        match bad.map(|bad| (text.text.len(), bad)).or_else(nul) {
            Some((at, bad)) => Err(Box::new(text.unreadable(at, bad))),
            None => Ok(text),
        }
    }

    /// Tells what is wrong with the bytes at an offset.
    fn unreadable(&self, at: usize, bad: Bad) -> Diagnostic {
        let (code, message, hint) = match bad {
            Bad::Utf8 => (
                Code::NotText,
                "the configuration is not valid UTF-8",
                "save it as UTF-8",
            ),
            Bad::Utf16 => (
                Code::NotText,
                "the configuration is not valid UTF-16",
                "save it as UTF-8",
            ),
            Bad::Nul => (
                Code::NulByte,
                "the configuration has a NUL byte",
                "save it as UTF-8, or as UTF-16 with a byte order mark",
            ),
        };
        Diagnostic {
            position: Some(self.position(at)),
            hint: Some(hint.to_owned()),
            ..Diagnostic::of_file(code, self.name.clone(), message)
        }
    }

    /// Takes a text.
    pub(crate) fn new(name: String, text: String) -> Self {
        let bytes = text.as_bytes();
        let breaks = bytes.iter().enumerate().filter(|&(index, byte)| {
            *byte == b'\n' || (*byte == b'\r' && bytes.get(index + 1) != Some(&b'\n'))
        });
        let starts = std::iter::once(0)
            .chain(breaks.map(|(index, _)| index + 1))
            .collect();
        Self { name, text, starts }
    }

    /// Returns the index of the line of an offset, from 0.
    pub(crate) fn line_at(&self, offset: usize) -> usize {
        self.starts
            .partition_point(|start| *start <= offset)
            .saturating_sub(1)
    }

    /// Returns a line without its break, and the offset of its start.
    pub(crate) fn line(&self, index: usize) -> (&str, usize) {
        let Some(&start) = self.starts.get(index) else {
            return ("", self.text.len());
        };
        let end = self.starts.get(index + 1).copied();
        let end = end.unwrap_or(self.text.len());
        let line = self.text.get(start..end).unwrap_or_default();
        (line.trim_end_matches(['\n', '\r']), start)
    }

    /// Returns the line and the column of an offset.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let index = self.line_at(offset);
        let start = self.starts.get(index).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or_default();
        Position {
            line: index + 1,
            column: before.chars().count() + 1,
        }
    }

    /// Returns the text of a span.
    pub(crate) fn slice(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }
}

/// What makes bytes no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bad {
    Utf8,
    Utf16,
    Nul,
}

/// Decodes bytes as their byte order mark says: as far as it goes, and what ends it.
fn decode(bytes: Vec<u8>) -> (String, Option<Bad>) {
    match bytes.as_slice() {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest.to_vec()),
        _ => utf8(bytes),
    }
}

fn wide(rest: &[u8], unit: fn([u8; 2]) -> u16) -> (String, Option<Bad>) {
    let units = rest.chunks(2).map(|pair| match pair {
        [a, b] => unit([*a, *b]),
        // Half a unit at the end is as wrong as half a pair.
        _ => 0xD800,
    });
    let mut text = String::new();
    for decoded in char::decode_utf16(units) {
        match decoded {
            Ok(c) => text.push(c),
            // It says no more than that the unit has no partner.
            Err(_) => return (text, Some(Bad::Utf16)),
        }
    }
    (text, None)
}

fn utf8(bytes: Vec<u8>) -> (String, Option<Bad>) {
    String::from_utf8(bytes).map_or_else(
        |error| {
            let valid = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            bytes.truncate(valid);
            (
                String::from_utf8(bytes).unwrap_or_default(),
                Some(Bad::Utf8),
            )
        },
        |text| (text, None),
    )
}

/// Places of a text that are asked for one after the other: those of one long line without looking at
/// its beginning again and again.
pub(crate) struct Places<'t> {
    /// The text.
    pub(crate) text: &'t Text,
    last: Option<(usize, Position)>,
}

impl<'t> Places<'t> {
    /// Begins.
    pub(crate) fn new(text: &'t Text) -> Self {
        Self { text, last: None }
    }

    /// Returns the line and the column of an offset.
    pub(crate) fn position(&mut self, offset: usize) -> Position {
        let line = self.text.line_at(offset) + 1;
        let before = self
            .last
            .filter(|(at, last)| last.line == line && *at <= offset);
        let position = match before {
            Some((at, last)) => {
                let between = self.text.text.get(at..offset).unwrap_or_default();
                let column = last.column + between.chars().count();
                Position { line, column }
            }
            None => self.text.position(offset),
        };
        self.last = Some((offset, position));
        position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Result<String, String> {
        let source = Source {
            name: "x".to_owned(),
            text: bytes.to_vec(),
        };
        let told = |error: Box<Diagnostic>| {
            let at = error.position.map_or((0, 0), |at| (at.line, at.column));
            format!("{} {at:?} {}", error.code, error.message)
        };
        Text::decode(source).map(|text| text.text).map_err(told)
    }

    #[test]
    fn reads_every_encoding_of_yaml() {
        assert_eq!(decoded("é: 1".as_bytes()).unwrap(), "é: 1");
        assert_eq!(decoded(b"\xEF\xBB\xBFa: 1").unwrap(), "a: 1");
        assert_eq!(decoded(b"\xFF\xFEa\0:\0").unwrap(), "a:");
        assert_eq!(decoded(b"\xFE\xFF\0a\0:").unwrap(), "a:");
    }

    #[test]
    fn says_where_a_text_ends_to_be_one() {
        for (bytes, told) in [
            (
                &b"a: 1\nb: \xFF"[..],
                "LP-C0002 (2, 4) the configuration is not valid UTF-8",
            ),
            (
                b"\xC3\xA9\xE9: 1",
                "LP-C0002 (1, 2) the configuration is not valid UTF-8",
            ),
            (
                b"\xFF\xFEa\0\n\0b",
                "LP-C0002 (2, 1) the configuration is not valid UTF-16",
            ),
            (
                b"\xFE\xFF\xD8\0\0a",
                "LP-C0002 (1, 1) the configuration is not valid UTF-16",
            ),
            (
                b"a: 1\nb\0: 2",
                "LP-C0003 (2, 2) the configuration has a NUL byte",
            ),
            (
                b"a\0:\0",
                "LP-C0003 (1, 2) the configuration has a NUL byte",
            ),
        ] {
            assert_eq!(decoded(bytes).unwrap_err(), told);
        }
    }

    #[test]
    fn places_are_those_of_the_text() {
        let text = Text::new("x".to_owned(), "é1 é2\nb c\n".to_owned());
        let mut places = Places::new(&text);

        for offset in [0, 2, 4, 7, 8, 10, 2, 9, 11, 12] {
            assert_eq!(places.position(offset), text.position(offset), "{offset}");
        }
    }

    #[test]
    fn counts_lines_and_characters() {
        let text = Text::new("x".to_owned(), "a: é1\r\nb\rc\n".to_owned());

        let at = |offset| {
            let position = text.position(offset);
            (position.line, position.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(5), (1, 5));
        assert_eq!(at(8), (2, 1));
        assert_eq!(at(10), (3, 1));
        assert_eq!(text.line(0).0, "a: é1");
        assert_eq!(text.line(1).0, "b");
        assert_eq!(text.line(9).0, "");
    }
}
