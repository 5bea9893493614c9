//! Where the pieces of a document stand in its text: keys, values, aliases, merges.
//!
//! The tree of [`crate::node`] has aliases and merges worked in; here they are as written.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};

use crate::source::Span;

/// A value as it is written.
pub(super) struct Piece {
    /// From its first character, behind anchor, tag and the head of a block scalar, to its last.
    pub(super) span: Span,
    /// Where its text begins: the first dash of a list, which may stand before what the parser calls
    /// its start.
    pub(super) begin: usize,
    pub(super) shape: Shape,
    /// Whether it is written between brackets.
    pub(super) is_flow: bool,
    /// The number of its anchor; 0 without one.
    pub(super) anchor: usize,
}

/// What is written.
pub(super) enum Shape {
    Scalar,
    /// What stands for the value with an anchor.
    Alias(usize),
    List(Vec<Piece>),
    Map(Vec<Pair>),
}

/// A key with its value.
pub(super) struct Pair {
    pub(super) key: Span,
    pub(super) name: String,
    pub(super) value: Piece,
}

impl Pair {
    /// Returns where the last character of key or value stands.
    pub(super) fn end(&self) -> usize {
        self.value.span.end.max(self.key.end)
    }

    /// Whether it brings the keys of other mappings.
    pub(super) fn is_merge(&self) -> bool {
        self.name == "<<"
    }
}

/// What kinds of pieces can start at the same place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Tag {
    Scalar,
    Alias,
    List,
    Map,
}

impl Piece {
    pub(super) fn tag(&self) -> Tag {
        match &self.shape {
            Shape::Scalar => Tag::Scalar,
            Shape::Alias(_) => Tag::Alias,
            Shape::List(_) => Tag::List,
            Shape::Map(_) => Tag::Map,
        }
    }

    /// Returns what is written where it has become empty.
    pub(super) fn emptied(&self) -> &'static str {
        match self.shape {
            Shape::Map(_) => "{}",
            Shape::List(_) => "[]",
            Shape::Scalar | Shape::Alias(_) => "",
        }
    }

    /// Whether it is a list or mapping that indentation holds together.
    pub(super) fn is_block(&self) -> bool {
        matches!(self.shape, Shape::List(_) | Shape::Map(_)) && !self.is_flow
    }

    /// Returns all aliases and merges below it.
    pub(super) fn has_alias(&self) -> bool {
        match &self.shape {
            Shape::Scalar => false,
            Shape::Alias(_) => true,
            Shape::List(items) => items.iter().any(Self::has_alias),
            Shape::Map(pairs) => pairs
                .iter()
                .any(|pair| pair.value.has_alias() || pair.is_merge()),
        }
    }
}

/// Returns the pieces of the first document of a text that is known to be valid.
pub(super) fn pieces(text: &str) -> Option<Piece> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        text,
    };
    loop {
        match reader.next()? {
            (Event::DocumentStart(..), _) => {
                let first = reader.next()?;
                return reader.piece(first);
            }
            (Event::StreamEnd | Event::DocumentEnd, _) => return None,
            _ => {}
        }
    }
}

/// A key with its value, and where it stands among others.
#[derive(Clone, Copy)]
pub(super) struct Home<'p> {
    pub(super) pair: &'p Pair,
    pub(super) parent: &'p Piece,
    /// The pair before it.
    pub(super) before: Option<&'p Pair>,
}

/// All pieces of a document.
#[derive(Default)]
pub(super) struct Index<'p> {
    /// Pairs by where their key starts.
    pub(super) pairs: HashMap<usize, Home<'p>>,
    /// Pieces by the number of their anchor.
    pub(super) anchors: HashMap<usize, &'p Piece>,
}

impl<'p> Index<'p> {
    pub(super) fn of(root: &'p Piece) -> Self {
        let mut index = Self::default();
        index.add(root);
        index
    }

    fn add(&mut self, piece: &'p Piece) {
        if piece.anchor != 0 {
            self.anchors.insert(piece.anchor, piece);
        }
        match &piece.shape {
            Shape::Scalar | Shape::Alias(_) => {}
            Shape::List(items) => items.iter().for_each(|item| self.add(item)),
            Shape::Map(all) => {
                let mut before = None;
                for pair in all {
                    let home = Home {
                        pair,
                        parent: piece,
                        before,
                    };
                    self.pairs.insert(pair.key.start, home);
                    before = Some(pair);
                    self.add(&pair.value);
                }
            }
        }
    }
}

struct Reader<'t> {
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    text: &'t str,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Option<(Event<'t>, Span)> {
        loop {
            match self.parser.next()?.ok()? {
                (Event::Comment(..), _) => {}
                (event, span) => {
                    let start = span.start.byte_offset()?;
                    let end = span.end.byte_offset()?.max(start);
                    return Some((event, Span { start, end }));
                }
            }
        }
    }

    fn piece(&mut self, (event, span): (Event<'t>, Span)) -> Option<Piece> {
        let piece = match event {
            Event::Scalar(_, style, anchor, _) => {
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                Piece {
                    begin: span.start,
                    span: if is_block { self.trimmed(span) } else { span },
                    shape: Shape::Scalar,
                    is_flow: false,
                    anchor,
                }
            }
            Event::Alias(id) => Piece {
                span,
                begin: span.start,
                shape: Shape::Alias(id),
                is_flow: false,
                anchor: 0,
            },
            Event::SequenceStart(style, anchor, _) => Piece {
                anchor,
                ..self.list(style, span)?
            },
            Event::MappingStart(style, anchor, _) => Piece {
                anchor,
                ..self.map(style, span)?
            },
            _ => return None,
        };
        Some(piece)
    }

    /// A block scalar ends with its last character that is no white space.
    fn trimmed(&self, span: Span) -> Span {
        let raw = self.text.get(span.start..span.end).unwrap_or_default();
        Span {
            start: span.start,
            end: span.start + raw.trim_end().len(),
        }
    }

    /// Returns where the first dash of a list stands.
    fn dash(&self, start: usize) -> usize {
        let is_dash = |at: usize| {
            let mut rest = self.text.get(at..).unwrap_or_default().chars();
            rest.next() == Some('-') && rest.next().is_none_or(char::is_whitespace)
        };
        if is_dash(start) {
            return start;
        }
        let before = self.text.get(..start).unwrap_or_default();
        let dashes = before.rmatch_indices('-').map(|(at, _)| at);
        dashes.into_iter().find(|at| is_dash(*at)).unwrap_or(start)
    }

    fn list(&mut self, style: StructureStyle, span: Span) -> Option<Piece> {
        let is_flow = style == StructureStyle::Flow;
        let mut items: Vec<Piece> = Vec::new();
        loop {
            let next = self.next()?;
            if let Event::SequenceEnd = next.0 {
                let inner = items.last().map_or(span.end, |item| item.span.end);
                let end = if is_flow { next.1.end } else { inner };
                return Some(Piece {
                    span: Span {
                        start: span.start,
                        end,
                    },
                    begin: if is_flow {
                        span.start
                    } else {
                        self.dash(span.start)
                    },
                    shape: Shape::List(items),
                    is_flow,
                    anchor: 0,
                });
            }
            items.push(self.piece(next)?);
        }
    }

    fn map(&mut self, style: StructureStyle, span: Span) -> Option<Piece> {
        let is_flow = style == StructureStyle::Flow;
        let mut pairs: Vec<Pair> = Vec::new();
        loop {
            let next = self.next()?;
            if let Event::MappingEnd = next.0 {
                let inner = pairs.last().map_or(span.end, Pair::end);
                let end = if is_flow { next.1.end } else { inner };
                return Some(Piece {
                    span: Span {
                        start: span.start,
                        end,
                    },
                    begin: span.start,
                    shape: Shape::Map(pairs),
                    is_flow,
                    anchor: 0,
                });
            }
            let name = match &next.0 {
                Event::Scalar(text, ..) => text.to_string(),
                _ => return None,
            };
            let key = self.piece(next)?.span;
            let next = self.next()?;
            let value = self.piece(next)?;
            pairs.push(Pair { key, name, value });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(piece: &Piece, text: &str, out: &mut Vec<String>) {
        let raw = &text[piece.begin..piece.span.end];
        out.push(format!("{:?} {raw:?}", piece.tag()));
        match &piece.shape {
            Shape::Scalar | Shape::Alias(_) => {}
            Shape::List(items) => items.iter().for_each(|item| show(item, text, out)),
            Shape::Map(pairs) => {
                for pair in pairs {
                    out.push(format!("key {:?}", &text[pair.key.start..pair.key.end]));
                    show(&pair.value, text, out);
                }
            }
        }
    }

    #[test]
    fn pieces_stand_where_they_are_written() {
        let text =
            "# c\na: &x {b: 1, \"c\": [2, 3]} # d\ne:\n- f: |\n    g\n\n  h:\n- *x\n<<: *x\n";
        let mut out = Vec::new();
        show(&pieces(text).unwrap(), text, &mut out);
        assert_eq!(
            out.join("\n"),
            r#"Map "a: &x {b: 1, \"c\": [2, 3]} # d\ne:\n- f: |\n    g\n\n  h:\n- *x\n<<: *x"
key "a"
Map "{b: 1, \"c\": [2, 3]}"
key "b"
Scalar "1"
key "\"c\""
List "[2, 3]"
Scalar "2"
Scalar "3"
key "e"
List "- f: |\n    g\n\n  h:\n- *x"
Map "f: |\n    g\n\n  h"
key "f"
Scalar "g"
key "h"
Scalar ""
Alias "*x"
key "<<"
Alias "*x""#
        );
    }
}
