//! The text of a configuration as it was given, and places in it.

use std::fmt;

/// The largest document that is read, in bytes.
pub const LARGEST_DOCUMENT: usize = 4 << 20;

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
    /// Fails with a sentence where the bytes are neither, or too many.
    pub(crate) fn decode(source: Source) -> Result<Self, (String, String)> {
        let Source { name, text } = source;
        if text.len() > LARGEST_DOCUMENT {
            let limit = LARGEST_DOCUMENT >> 20;
            let message = format!("the configuration is larger than {limit} MiB");
            return Err((name, message));
        }
        match decode(text) {
            Ok(text) => Ok(Self::new(name, text)),
            Err(message) => Err((name, message)),
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

/// Decodes bytes as their byte order mark says.
fn decode(bytes: Vec<u8>) -> Result<String, String> {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = rest.chunks(2).map(|pair| match pair {
            [a, b] => unit([*a, *b]),
            // Half a unit at the end is as wrong as half a pair.
            _ => 0xD800,
        });
        char::decode_utf16(units)
            .collect::<Result<String, _>>()
            .map_err(|error| format!("the configuration is not valid UTF-16: {error}"))
    };
    match bytes.as_slice() {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest.to_vec()),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..valid).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("the configuration is not valid UTF-8 (line {line})")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Result<String, String> {
        let source = Source {
            name: "x".to_owned(),
            text: bytes.to_vec(),
        };
        Text::decode(source).map(|text| text.text).map_err(|e| e.1)
    }

    #[test]
    fn reads_every_encoding_of_yaml() {
        assert_eq!(decoded("é: 1".as_bytes()).unwrap(), "é: 1");
        assert_eq!(decoded(b"\xEF\xBB\xBFa: 1").unwrap(), "a: 1");
        assert_eq!(decoded(b"\xFF\xFEa\0:\0").unwrap(), "a:");
        assert_eq!(decoded(b"\xFE\xFF\0a\0:").unwrap(), "a:");
        assert!(decoded(b"\xFF\xFEa").unwrap_err().contains("UTF-16"));
        assert_eq!(
            decoded(b"a: 1\nb: \xFF").unwrap_err(),
            "the configuration is not valid UTF-8 (line 2)"
        );
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
