//! Writing: value by value, each from its old text if it has one.

use std::collections::{HashMap, HashSet};

use super::block::Chunk;
use super::flow::is_json;
use super::pieces::{Home, Index, Pair, Piece, Shape, Tag};
use super::plain::Comments;
use super::{plain, same};
use crate::node::{Entry, Kind, Node};

/// What is written from what.
pub(super) struct Setting<'a> {
    pub(super) text: &'a str,
    pub(super) old: &'a Node,
    pub(super) new: &'a Node,
    pub(super) comments: &'a Comments,
    /// Whether aliases and merges are written out.
    pub(super) writes_out: bool,
}

pub(super) struct Emitter<'a> {
    pub(super) text: &'a str,
    pub(super) eol: &'static str,
    pub(super) comments: &'a Comments,
    pub(super) writes_out: bool,
    pub(super) index: Index<'a>,
    /// Values of the old and of the new tree by where they stand.
    old: HashMap<(usize, Tag), &'a Node>,
    pub(super) new: HashMap<(usize, Tag), &'a Node>,
    /// Where the keys of the new tree were written.
    pub(super) keys: HashSet<usize>,
}

/// Where something is written.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The column of the key or dash.
    pub(super) column: usize,
    /// Whether it is a copy of what stands elsewhere, too: its anchors are left out.
    pub(super) is_copy: bool,
    /// Whether keys and texts are quoted.
    pub(super) is_json: bool,
}

pub(super) fn tag_of(node: &Node) -> Tag {
    match &node.kind {
        Kind::Scalar(_) => Tag::Scalar,
        Kind::List(_) => Tag::List,
        Kind::Map(_) => Tag::Map,
    }
}

/// Notes all values that stand for themselves.
fn places<'n>(node: &'n Node, found: &mut HashMap<(usize, Tag), &'n Node>) {
    // What an alias brings stands elsewhere.
    if node.origin.is_some() {
        return;
    }
    found.entry((node.span.start, tag_of(node))).or_insert(node);
    match &node.kind {
        Kind::Scalar(_) => {}
        Kind::List(items) => items.iter().for_each(|item| places(item, found)),
        Kind::Map(entries) => {
            for entry in entries {
                places(&entry.value, found);
            }
        }
    }
}

/// Notes where all keys were written.
fn note_keys(node: &Node, found: &mut HashSet<usize>) {
    match &node.kind {
        Kind::Scalar(_) => {}
        Kind::List(items) => items.iter().for_each(|item| note_keys(item, found)),
        Kind::Map(entries) => {
            for entry in entries {
                if entry.is_written() {
                    found.insert(entry.key_span.start);
                }
                note_keys(&entry.value, found);
            }
        }
    }
}

impl<'a> Emitter<'a> {
    pub(super) fn new(setting: &Setting<'a>, root: &'a Piece) -> Self {
        let (mut old, mut new) = (HashMap::new(), HashMap::new());
        places(setting.old, &mut old);
        places(setting.new, &mut new);
        let mut keys = HashSet::new();
        note_keys(setting.new, &mut keys);
        let eol = if setting.text.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        Self {
            text: setting.text,
            eol,
            comments: setting.comments,
            writes_out: setting.writes_out,
            index: Index::of(root),
            old,
            new,
            keys,
        }
    }

    /// Writes the whole text.
    pub(super) fn document(&self, root: &Piece) -> Option<String> {
        let new = *self.new.get(&(root.span.start, Tag::Map))?;
        let end = if root.is_flow {
            root.span.end
        } else {
            self.line_end(root.span.end)
        };
        let place = Place {
            column: self.column(root.span.start),
            is_copy: false,
            is_json: is_json(root, self.text),
        };
        let mut out = self.slice(0, root.span.start).to_owned();
        out += &self.core(new, root, place)?;
        out += self.slice(end, self.text.len());
        Some(out)
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    pub(super) fn line_start(&self, at: usize) -> usize {
        self.slice(0, at).rfind('\n').map_or(0, |found| found + 1)
    }

    /// Returns where the line ends, before its break.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let rest = self.slice(at, self.text.len());
        let line = rest.split('\n').next().unwrap_or_default();
        at + line.trim_end_matches('\r').len()
    }

    pub(super) fn column(&self, at: usize) -> usize {
        self.slice(self.line_start(at), at).chars().count()
    }

    /// Whether the text of a value can be kept, with changes inside of it.
    pub(super) fn fits(&self, node: &Node, piece: &Piece) -> bool {
        match piece.shape {
            Shape::Alias(_) => {
                if self.writes_out || node.span.start != piece.span.start {
                    return false;
                }
                let origin = node.origin.map(|origin| (origin.start, tag_of(node)));
                let anchored = origin.and_then(|origin| self.new.get(&origin));
                anchored.is_some_and(|anchored| same(anchored, node))
            }
            _ => {
                piece.span.start == node.span.start
                    && piece.tag() == tag_of(node)
                    && node.origin.is_none()
            }
        }
    }

    /// Writes a value in the place of its old text: from its first character to its last, or to the
    /// end of the line for what indentation holds together.
    pub(super) fn core(&self, node: &Node, piece: &Piece, place: Place) -> Option<String> {
        let raw = self.slice(piece.span.start, piece.span.end);
        match (&piece.shape, &node.kind) {
            (Shape::Alias(_), _) => Some(raw.to_owned()),
            (Shape::Scalar, Kind::Scalar(scalar)) => {
                let old = self.old.get(&(piece.span.start, Tag::Scalar));
                let old = &old.and_then(|old| old.scalar())?.text;
                Some(match &scalar.text {
                    text if text == old => raw.to_owned(),
                    text if *text == old.replace('$', "$$") => raw.replace('$', "$$"),
                    text => replaced(raw, text).unwrap_or_else(|| plain::flow(node, place.is_json)),
                })
            }
            (Shape::Map(_) | Shape::List(_), _) if self.is_unchanged(node, piece) => {
                Some(self.unchanged(piece))
            }
            (Shape::Map(pairs), Kind::Map(entries)) if piece.is_flow => {
                self.flow_map(pairs, entries, piece, place)
            }
            (Shape::Map(pairs), Kind::Map(entries)) => self.block_map(pairs, entries, piece, place),
            (Shape::List(pieces), Kind::List(items)) if piece.is_flow => {
                self.flow_list(pieces, items, piece, place)
            }
            (Shape::List(pieces), Kind::List(items)) => {
                self.block_list(pieces, items, piece, place)
            }
            _ => None,
        }
    }

    fn is_unchanged(&self, node: &Node, piece: &Piece) -> bool {
        let old = self.old.get(&(piece.span.start, piece.tag()));
        let is_commented = || {
            let inside = |start: &usize| (piece.span.start..piece.span.end).contains(start);
            self.comments.keys().any(inside)
        };
        // What an alias stands for may have changed elsewhere.
        old.is_some_and(|old| *old == node) && !piece.has_alias() && !is_commented()
    }

    fn unchanged(&self, piece: &Piece) -> String {
        let end = if piece.is_block() {
            self.line_end(piece.span.end)
        } else {
            piece.span.end
        };
        self.slice(piece.begin, end).to_owned()
    }

    /// Returns what stands between a colon or dash and a value.
    pub(super) fn between(&self, from: usize, piece: &Piece, place: Place) -> String {
        let between = self.slice(from, piece.begin);
        if place.is_copy {
            without_anchor(between)
        } else {
            between.to_owned()
        }
    }

    /// Returns what follows on the line of a value, which ends at `end`.
    pub(super) fn tail(&self, end: usize, piece: &Piece) -> &str {
        if piece.is_block() {
            return "";
        }
        let tail = self.slice(end, self.line_end(end));
        if piece.span.start == piece.span.end {
            // Behind the colon of a key without a value.
            return tail.trim_start_matches(':');
        }
        tail
    }

    /// Writes an entry that stands in the mapping where it stood.
    pub(super) fn pair(&self, pair: &Pair, entry: &Entry, place: Place) -> Option<String> {
        let key = self.key(pair, entry, place);
        let tail = self.tail(pair.end(), &pair.value);
        if !self.fits(&entry.value, &pair.value) {
            return Some(format!("{key}:{}{tail}", self.fresh(&entry.value, place)?));
        }
        let core = self.core(&entry.value, &pair.value, place)?;
        if core.is_empty() && pair.value.is_block() {
            return Some(format!("{key}: {}", pair.value.emptied()));
        }
        let between = self.between(pair.key.end, &pair.value, place);
        Some(format!("{key}{between}{core}{tail}"))
    }

    pub(super) fn key(&self, pair: &Pair, entry: &Entry, place: Place) -> String {
        let raw = self.slice(pair.key.start, pair.key.end);
        if pair.name == entry.key {
            return raw.to_owned();
        }
        match raw.chars().next() {
            Some('\'') => format!("'{}'", entry.key),
            Some('"') => format!("\"{}\"", entry.key),
            _ => plain::key(&entry.key, place.is_json),
        }
    }

    /// Returns where an entry stood, if it stood anywhere.
    pub(super) fn home(&self, entry: &Entry) -> Option<Home<'a>> {
        let home = self.index.pairs.get(&entry.key_span.start).copied();
        home.filter(|_| entry.is_written())
    }

    /// Writes an entry that stood elsewhere, or nowhere.
    pub(super) fn guest(&self, entry: &Entry, place: Place) -> Option<Chunk> {
        let Some(home) = self.home(entry) else {
            let key = plain::key(&entry.key, place.is_json);
            let main = format!("{key}:{}", self.fresh(&entry.value, place)?);
            return Some(Chunk::new(String::new(), main));
        };
        let pair = home.pair;
        if home.parent.is_flow {
            let key = self.key(pair, entry, place);
            let value = if self.fits(&entry.value, &pair.value) && !place.is_copy {
                format!(" {}", self.core(&entry.value, &pair.value, place)?)
            } else {
                self.fresh(&entry.value, place)?
            };
            return Some(Chunk::new(String::new(), format!("{key}:{value}")));
        }
        let column = self.column(pair.key.start);
        let main = self.pair(pair, entry, Place { column, ..place })?;
        let lead = if place.is_copy {
            String::new()
        } else {
            let before = home.before.map(|before| self.line_end(before.end()));
            let start = pair.key.start;
            self.lead(before, start).to_owned() + &self.comment_lines(start, column)
        };
        Some(Chunk::new(
            shifted(&lead, column, place.column, true),
            shifted(&main, column, place.column, false),
        ))
    }

    /// Writes a value behind a colon that has no text there: a mapping by its entries, which may
    /// have one elsewhere.
    pub(super) fn fresh(&self, node: &Node, place: Place) -> Option<String> {
        match &node.kind {
            Kind::Map(entries) if !entries.is_empty() => {
                let inner = Place {
                    column: place.column + 2,
                    is_copy: place.is_copy || node.origin.is_some(),
                    ..place
                };
                let mut out = String::new();
                for entry in entries {
                    let chunk = self.guest(entry, inner)?;
                    out += self.eol;
                    out += &chunk.lead;
                    out += &" ".repeat(inner.column);
                    out += &chunk.main;
                }
                Some(out)
            }
            Kind::Scalar(scalar) if scalar.is_null() => Some(String::new()),
            Kind::List(_) => {
                let mut out = String::new();
                plain::block(node, place.column, self.comments, &mut out);
                Some(out.replace('\n', self.eol))
            }
            Kind::Scalar(_) | Kind::Map(_) => {
                Some(format!(" {}", plain::flow(node, place.is_json)))
            }
        }
    }
}

/// Returns another text in the quotes of an old one, where that is simple.
fn replaced(raw: &str, text: &str) -> Option<String> {
    if text.contains(['\'', '\n', '\r', '\t', '\\', '"']) {
        return None;
    }
    match raw.chars().next()? {
        '\'' => Some(format!("'{text}'")),
        '"' => Some(format!("\"{text}\"")),
        _ => None,
    }
}

/// Moves all lines but the first, or all of them, to another column.
fn shifted(text: &str, from: usize, to: usize, first_too: bool) -> String {
    let mut out = String::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if (number == 0 && !first_too) || line.trim().is_empty() {
            out += line;
        } else if to >= from {
            out += &" ".repeat(to - from);
            out += line;
        } else {
            let blanks = line.len() - line.trim_start_matches(' ').len();
            out += line.get(blanks.min(from - to)..).unwrap_or_default();
        }
    }
    out
}

/// Takes an anchor out of what stands between a key and its value.
fn without_anchor(between: &str) -> String {
    let Some(at) = between.find('&') else {
        return between.to_owned();
    };
    let (before, rest) = between.split_at(at);
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let after = rest.get(end..).unwrap_or_default();
    format!("{}{after}", before.trim_end_matches(' '))
}
