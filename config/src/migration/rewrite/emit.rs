//! Writing: entry by entry, each from its old text if it has one.

use std::collections::{HashMap, HashSet};

use super::pieces::{Pair, Piece, Shape, Tag, index};
use super::{own_place, plain, same};
use crate::node::{Entry, Kind, Node};

/// What is written from what.
pub(super) struct Setting<'a> {
    pub(super) text: &'a str,
    pub(super) old: &'a Node,
    pub(super) new: &'a Node,
    pub(super) comments: &'a HashMap<usize, Vec<String>>,
    /// Whether aliases and merges are written out.
    pub(super) writes_out: bool,
}

pub(super) struct Emitter<'a> {
    text: &'a str,
    eol: &'static str,
    comments: &'a HashMap<usize, Vec<String>>,
    writes_out: bool,
    pairs: HashMap<usize, (&'a Pair, &'a Piece)>,
    pieces: HashMap<(usize, Tag), &'a Piece>,
    /// Values of the old and of the new tree by where they stand.
    old: HashMap<(usize, Tag), &'a Node>,
    new: HashMap<(usize, Tag), &'a Node>,
    /// Where the keys of the new tree were written.
    keys: HashSet<usize>,
}

/// Where something is written.
#[derive(Clone, Copy)]
struct Place {
    /// The column of the key or dash.
    column: usize,
    /// Whether it is a copy of what stands elsewhere, too: its anchors are left out.
    is_copy: bool,
    /// Whether keys and texts are quoted.
    is_json: bool,
}

fn tag_of(node: &Node) -> Tag {
    match &node.kind {
        Kind::Scalar(_) => Tag::Scalar,
        Kind::List(_) => Tag::List,
        Kind::Map(_) => Tag::Map,
    }
}

/// Notes all values that stand for themselves.
fn places<'n>(node: &'n Node, found: &mut HashMap<(usize, Tag), &'n Node>) {
    let Some(span) = own_place(node) else { return };
    found.entry((span.start, tag_of(node))).or_insert(node);
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
                if entry.key_span.start < entry.key_span.end {
                    found.insert(entry.key_span.start);
                }
                note_keys(&entry.value, found);
            }
        }
    }
}

impl<'a> Emitter<'a> {
    pub(super) fn new(setting: &Setting<'a>, root: &'a Piece) -> Self {
        let (mut pairs, mut pieces) = (HashMap::new(), HashMap::new());
        index(root, &mut pairs, &mut pieces);
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
            pairs,
            pieces,
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

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn line_start(&self, at: usize) -> usize {
        self.slice(0, at).rfind('\n').map_or(0, |found| found + 1)
    }

    /// Returns where the line ends, before its break.
    fn line_end(&self, at: usize) -> usize {
        let rest = self.slice(at, self.text.len());
        let line = rest.split('\n').next().unwrap_or_default();
        at + line.trim_end_matches('\r').len()
    }

    fn column(&self, at: usize) -> usize {
        self.slice(self.line_start(at), at).chars().count()
    }

    /// Whether the text of a value can be kept, with changes inside of it.
    fn fits(&self, node: &Node, piece: &Piece) -> bool {
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
    fn core(&self, node: &Node, piece: &Piece, place: Place) -> Option<String> {
        let raw = || self.slice(piece.span.start, piece.span.end).to_owned();
        match (&piece.shape, &node.kind) {
            (Shape::Alias(_), _) => Some(raw()),
            (Shape::Scalar, Kind::Scalar(scalar)) => {
                let old = self.old.get(&(piece.span.start, Tag::Scalar));
                let old = old.and_then(|old| old.scalar())?;
                let raw = raw();
                if old.text == scalar.text {
                    return Some(raw);
                }
                if scalar.text == old.text.replace('$', "$$") {
                    return Some(raw.replace('$', "$$"));
                }
                Some(self.replaced(&raw, node, place))
            }
            (Shape::Map(pairs), Kind::Map(entries)) => {
                if !piece.has_alias() && self.is_unchanged(node, piece) {
                    return Some(self.unchanged(piece));
                }
                if piece.is_flow {
                    return self.flow_map(pairs, entries, piece, place);
                }
                self.block_map(pairs, entries, piece, place)
            }
            (Shape::List(pieces), Kind::List(items)) => {
                if !piece.has_alias() && self.is_unchanged(node, piece) {
                    return Some(self.unchanged(piece));
                }
                if piece.is_flow {
                    return self.flow_list(pieces, items, piece, place);
                }
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
        old.is_some_and(|old| *old == node) && !is_commented()
    }

    fn unchanged(&self, piece: &Piece) -> String {
        let end = if piece.is_block() {
            self.line_end(piece.span.end)
        } else {
            piece.span.end
        };
        self.slice(piece.begin, end).to_owned()
    }

    /// Writes another text, in the quotes of the old one.
    fn replaced(&self, raw: &str, node: &Node, place: Place) -> String {
        let Some(scalar) = node.scalar() else {
            return plain::flow(node, place.is_json);
        };
        let is_simple = !scalar.text.contains(['\'', '\n', '\r', '\t', '\\', '"']);
        match raw.chars().next() {
            Some('\'') if is_simple => format!("'{}'", scalar.text),
            Some('"') if is_simple => format!("\"{}\"", scalar.text),
            _ => plain::flow(node, place.is_json),
        }
    }
}

/// Part of a block: comments, what stands there, and what follows up to the next.
struct Chunk {
    lead: String,
    main: String,
    /// What followed, from the line break on.
    gap: String,
}

impl Emitter<'_> {
    fn block_map(
        &self,
        pairs: &[Pair],
        entries: &[Entry],
        piece: &Piece,
        place: Place,
    ) -> Option<String> {
        let place = Place {
            column: self.column(piece.span.start),
            ..place
        };
        let own: HashMap<usize, usize> = pairs
            .iter()
            .enumerate()
            .map(|(index, pair)| (pair.key.start, index))
            .collect();
        let own_index = |entry: &Entry| {
            let index = own.get(&entry.key_span.start).copied();
            index.filter(|_| entry.key_span.start < entry.key_span.end)
        };
        let has_merges = pairs.iter().any(|pair| pair.name == "<<");
        let inherited = self.inherited(pairs, entries, &own_index);
        let spans: Vec<(usize, usize)> = pairs
            .iter()
            .map(|pair| (pair.key.start, self.pair_end(pair)))
            .collect();
        let mut chunks: Vec<(Option<usize>, Chunk)> = Vec::new();
        for entry in entries {
            let index = own_index(entry);
            let is_inherited = inherited
                .as_ref()
                .is_some_and(|keys| keys.contains(&entry.key.as_str()));
            if index.is_none() && is_inherited {
                continue;
            }
            let chunk = match index.and_then(|index| Some((index, pairs.get(index)?))) {
                Some((index, pair)) => Chunk {
                    lead: self.lead_of(&spans, index, place.column),
                    main: self.pair(pair, entry, place)?,
                    gap: String::new(),
                },
                None => {
                    let is_copy = place.is_copy || has_merges;
                    self.guest(entry, Place { is_copy, ..place })?
                }
            };
            chunks.push((index, chunk));
        }
        if inherited.is_some() {
            for (index, pair) in pairs
                .iter()
                .enumerate()
                .filter(|(_, pair)| pair.name == "<<")
            {
                let at = chunks
                    .iter()
                    .position(|(own, _)| own.is_some_and(|own| own > index));
                let main = self.slice(pair.key.start, self.pair_end(pair)).to_owned();
                let lead = self.lead_of(&spans, index, place.column);
                let chunk = Chunk {
                    lead,
                    main,
                    gap: String::new(),
                };
                chunks.insert(at.unwrap_or(chunks.len()), (Some(index), chunk));
            }
        }
        Some(self.join(chunks, &spans, place.column))
    }

    /// Puts chunks together, with what stood between them.
    fn join(
        &self,
        mut chunks: Vec<(Option<usize>, Chunk)>,
        spans: &[(usize, usize)],
        column: usize,
    ) -> String {
        // What stood behind something that is gone, or before it, stays.
        let kept: Vec<usize> = chunks.iter().filter_map(|(index, _)| *index).collect();
        let mut left = String::new();
        for index in 0..spans.len() {
            let gap = self.gap_of(spans, index);
            if kept.contains(&index) {
                let before = std::mem::take(&mut left);
                if let Some((_, chunk)) = chunks.iter_mut().find(|(own, _)| *own == Some(index)) {
                    chunk.lead = format!("{before}{}", chunk.lead);
                    chunk.gap = gap;
                }
            } else {
                // The comments of what moved go with it.
                let is_moved = spans
                    .get(index)
                    .is_some_and(|(key, _)| self.keys.contains(key));
                if !is_moved {
                    left += &self.lead_between(spans, index);
                }
                left += gap.split_once('\n').map_or("", |(_, rest)| rest);
            }
        }
        let mut out = String::new();
        for (number, (_, chunk)) in chunks.iter().enumerate() {
            let lead = if number == 0 {
                chunk.lead.trim_start()
            } else {
                chunk.lead.as_str()
            };
            out += lead;
            if number > 0 || !lead.is_empty() {
                out += &" ".repeat(column);
            }
            out += &chunk.main;
            if number + 1 < chunks.len() {
                if chunk.gap.is_empty() {
                    out += self.eol;
                } else {
                    out += &chunk.gap;
                }
            } else if !left.is_empty() && left.contains('#') {
                out += self.eol;
                out += left.trim_end();
            }
        }
        out
    }

    /// Where an entry ends: with its line.
    fn pair_end(&self, pair: &Pair) -> usize {
        self.line_end(pair.value.span.end.max(pair.key.end))
    }

    /// Returns the comments right above an entry.
    fn lead_of(&self, spans: &[(usize, usize)], index: usize, column: usize) -> String {
        let mut lead = self.lead_between(spans, index);
        if let Some((start, _)) = spans.get(index) {
            lead += &self.comment_lines(*start, column);
        }
        lead
    }

    fn comment_lines(&self, key: usize, column: usize) -> String {
        let lines = self
            .comments
            .get(&key)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let line = |line: &String| format!("{}{line}{}", " ".repeat(column), self.eol);
        lines.iter().map(line).collect()
    }

    /// Returns where the comments begin that stand right above something.
    fn lead_start(&self, spans: &[(usize, usize)], index: usize) -> usize {
        let Some(&(start, _)) = spans.get(index) else {
            return 0;
        };
        let before = index.checked_sub(1).and_then(|before| spans.get(before));
        let Some(&(_, end)) = before else {
            return start;
        };
        let mut at = self.line_start(start);
        while at > end {
            let line = self.slice(self.line_start(at - 1), at);
            if self.line_start(at - 1) <= end || !line.trim_start().starts_with('#') {
                break;
            }
            at = self.line_start(at - 1);
        }
        at
    }

    fn lead_between(&self, spans: &[(usize, usize)], index: usize) -> String {
        let Some(&(start, _)) = spans.get(index) else {
            return String::new();
        };
        let from = self.lead_start(spans, index);
        let to = self.line_start(start);
        if from < to {
            self.slice(from, to).to_owned()
        } else {
            String::new()
        }
    }

    /// Returns what stands between something and the comments above the next.
    fn gap_of(&self, spans: &[(usize, usize)], index: usize) -> String {
        let Some(&(_, end)) = spans.get(index) else {
            return String::new();
        };
        match spans.get(index + 1) {
            Some(&(next, _)) => {
                let to = self.lead_start(spans, index + 1).min(self.line_start(next));
                self.slice(end, to.max(end)).to_owned()
            }
            None => String::new(),
        }
    }

    /// Writes an entry that stands in the mapping where it stood.
    fn pair(&self, pair: &Pair, entry: &Entry, place: Place) -> Option<String> {
        let key = self.key(pair, entry, place);
        if self.fits(&entry.value, &pair.value) {
            let mut between = self.slice(pair.key.end, pair.value.begin).to_owned();
            if place.is_copy {
                between = without_anchor(&between);
            }
            let core = self.core(&entry.value, &pair.value, place)?;
            if core.is_empty() && pair.value.is_block() {
                let empty = if matches!(pair.value.shape, Shape::Map(_)) {
                    "{}"
                } else {
                    "[]"
                };
                return Some(format!("{key}: {empty}"));
            }
            let tail = if pair.value.is_block() {
                ""
            } else {
                self.tail(pair)
            };
            return Some(format!("{key}{between}{core}{tail}"));
        }
        let tail = if pair.value.is_block() {
            ""
        } else {
            self.tail(pair)
        };
        Some(format!("{key}:{}{tail}", self.fresh(&entry.value, place)?))
    }

    /// Returns what follows a value on its line.
    fn tail(&self, pair: &Pair) -> &str {
        let end = pair.value.span.end.max(pair.key.end);
        let tail = self.slice(end, self.line_end(end));
        if pair.value.span.start == pair.value.span.end {
            // Behind the colon of a key without a value.
            return tail.trim_start_matches(':');
        }
        tail
    }

    fn key(&self, pair: &Pair, entry: &Entry, place: Place) -> String {
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

    /// Writes an entry that stood elsewhere, or nowhere.
    fn guest(&self, entry: &Entry, place: Place) -> Option<Chunk> {
        let found = self.pairs.get(&entry.key_span.start);
        let found = found.filter(|_| entry.key_span.start < entry.key_span.end);
        let mut lead = String::new();
        let main = match found {
            Some((pair, parent)) if !parent.is_flow => {
                let column = self.column(pair.key.start);
                let there = Place { column, ..place };
                // The first entry of a mapping may stand behind a dash.
                let main = self.pair(pair, entry, there)?;
                if let Shape::Map(pairs) = &parent.shape {
                    let spans: Vec<(usize, usize)> = pairs
                        .iter()
                        .map(|pair| (pair.key.start, self.pair_end(pair)))
                        .collect();
                    let at = pairs
                        .iter()
                        .position(|other| other.key.start == pair.key.start);
                    if let Some(at) = at.filter(|_| !place.is_copy) {
                        lead = self.lead_of(&spans, at, column);
                    }
                }
                lead = shifted(&lead, column, place.column, true);
                shifted(&main, column, place.column, false)
            }
            Some((pair, _)) => {
                let key = self.key(pair, entry, place);
                let value = if self.fits(&entry.value, &pair.value) && !place.is_copy {
                    format!(" {}", self.core(&entry.value, &pair.value, place)?)
                } else {
                    self.fresh(&entry.value, place)?
                };
                format!("{key}:{value}")
            }
            None => {
                let key = plain::key(&entry.key, place.is_json);
                format!("{key}:{}", self.fresh(&entry.value, place)?)
            }
        };
        Some(Chunk {
            lead,
            main,
            gap: String::new(),
        })
    }

    /// Writes a value behind a colon that has no text there: a mapping by its entries, which may
    /// have one elsewhere.
    fn fresh(&self, node: &Node, place: Place) -> Option<String> {
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
                plain::block(node, place.column, &mut out);
                Some(out.replace('\n', self.eol))
            }
            Kind::Scalar(_) | Kind::Map(_) => {
                Some(format!(" {}", plain::flow(node, place.is_json)))
            }
        }
    }
}

impl Emitter<'_> {
    /// Returns the keys that the merges of a mapping bring, if they bring what is wanted.
    fn inherited<'e>(
        &self,
        pairs: &[Pair],
        entries: &'e [Entry],
        own: &dyn Fn(&Entry) -> Option<usize>,
    ) -> Option<Vec<&'e str>> {
        if self.writes_out {
            return None;
        }
        let mut keys = Vec::new();
        let mut has_merge = false;
        for pair in pairs.iter().filter(|pair| pair.name == "<<") {
            has_merge = true;
            let sources: Vec<&Piece> = match &pair.value.shape {
                Shape::List(items) => items.iter().collect(),
                _ => vec![&pair.value],
            };
            for source in sources {
                let Shape::Alias(id) = source.shape else {
                    return None;
                };
                let anchored = self.pieces.values().find(|piece| piece.anchor == id)?;
                let brought = self.new.get(&(anchored.span.start, anchored.tag()))?;
                let Kind::Map(brought) = &brought.kind else {
                    return None;
                };
                for one in brought {
                    let entry = entries.iter().find(|entry| entry.key == one.key)?;
                    let is_new = !keys.contains(&entry.key.as_str());
                    if is_new && own(entry).is_none() && same(&entry.value, &one.value) {
                        keys.push(entry.key.as_str());
                    }
                }
            }
        }
        has_merge.then_some(keys)
    }

    fn block_list(
        &self,
        pieces: &[Piece],
        items: &[Node],
        piece: &Piece,
        place: Place,
    ) -> Option<String> {
        let column = self.column(piece.begin);
        let place = Place { column, ..place };
        let mut spans: Vec<(usize, usize)> = Vec::new();
        for one in pieces {
            let from = spans.last().map_or(piece.begin, |(_, end)| *end);
            let dash = self.dash(from, one.begin)?;
            spans.push((dash, self.line_end(one.span.end.max(dash + 1))));
        }
        let mut chunks = Vec::new();
        for item in items {
            let index = pieces.iter().position(|one| {
                one.span.start == item.span.start
                    && (one.tag() == tag_of(item) || one.tag() == Tag::Alias)
            })?;
            let (one, dash) = (pieces.get(index)?, spans.get(index)?.0);
            let main = if self.fits(item, one) {
                let mut between = self.slice(dash + 1, one.begin).to_owned();
                if place.is_copy {
                    between = without_anchor(&between);
                }
                let core = self.core(item, one, place)?;
                let core = match (&one.shape, core.is_empty() && one.is_block()) {
                    (Shape::Map(_), true) => "{}".to_owned(),
                    (_, true) => "[]".to_owned(),
                    (_, false) => core,
                };
                let tail = if one.is_block() {
                    ""
                } else {
                    self.slice(one.span.end, self.line_end(one.span.end))
                };
                format!("-{between}{core}{tail}")
            } else {
                let fresh = self.fresh(item, place)?;
                format!("- {}", fresh.trim_start())
            };
            let lead = self.lead_of(&spans, index, column);
            let gap = String::new();
            chunks.push((Some(index), Chunk { lead, main, gap }));
        }
        Some(self.join(chunks, &spans, column))
    }

    /// Returns where the dash of an item stands.
    fn dash(&self, from: usize, to: usize) -> Option<usize> {
        let mut at = from;
        for line in self.slice(from, to.max(from + 1)).split_inclusive('\n') {
            let trimmed = line.trim_start();
            if trimmed.starts_with('-') {
                return Some(at + line.len() - trimmed.len());
            }
            at += line.len();
        }
        None
    }

    fn flow_map(
        &self,
        pairs: &[Pair],
        entries: &[Entry],
        piece: &Piece,
        place: Place,
    ) -> Option<String> {
        let spans: Vec<(usize, usize)> = pairs
            .iter()
            .map(|pair| (pair.key.start, pair.value.span.end.max(pair.key.end)))
            .collect();
        let place = Place {
            is_json: is_json(piece, self.text),
            ..place
        };
        if pairs.iter().any(|pair| pair.name == "<<") {
            // Rare enough to be written out.
            return Some(self.flow_value(entries, place));
        }
        let mut parts = Vec::new();
        for entry in entries {
            let own = pairs.iter().position(|pair| {
                pair.key.start == entry.key_span.start && entry.key_span.start < entry.key_span.end
            });
            let main = match own.and_then(|own| pairs.get(own)) {
                Some(pair) if self.fits(&entry.value, &pair.value) => {
                    let mut between = self.slice(pair.key.end, pair.value.begin).to_owned();
                    if place.is_copy {
                        between = without_anchor(&between);
                    }
                    let core = self.core(&entry.value, &pair.value, place)?;
                    format!("{}{between}{core}", self.key(pair, entry, place))
                }
                Some(pair) => {
                    let key = self.key(pair, entry, place);
                    format!("{key}: {}", self.flow_of(entry, place))
                }
                None => {
                    let key = plain::key(&entry.key, place.is_json);
                    format!("{key}: {}", self.flow_of(entry, place))
                }
            };
            parts.push((own, main));
        }
        Some(self.flow_join(&parts, &spans, piece))
    }

    fn flow_list(
        &self,
        pieces: &[Piece],
        items: &[Node],
        piece: &Piece,
        place: Place,
    ) -> Option<String> {
        let spans: Vec<(usize, usize)> = pieces
            .iter()
            .map(|one| (one.span.start, one.span.end))
            .collect();
        let mut parts = Vec::new();
        for item in items {
            let own = pieces
                .iter()
                .position(|one| one.span.start == item.span.start);
            let main = match own.and_then(|own| pieces.get(own)) {
                Some(one) if self.fits(item, one) => self.core(item, one, place)?,
                _ => plain::flow(item, place.is_json),
            };
            parts.push((own, main));
        }
        Some(self.flow_join(&parts, &spans, piece))
    }

    /// Puts the parts between brackets together, with the white space of the old text.
    fn flow_join(
        &self,
        parts: &[(Option<usize>, String)],
        spans: &[(usize, usize)],
        piece: &Piece,
    ) -> String {
        let open = self.slice(piece.span.start, piece.span.start + 1);
        let close = self.slice(piece.span.end - 1, piece.span.end);
        let before = |index: usize| {
            let (start, _) = spans.get(index).copied().unwrap_or_default();
            let from = match index.checked_sub(1).and_then(|before| spans.get(before)) {
                Some(&(_, end)) => {
                    let between = self.slice(end, start);
                    end + between.find(',').map_or(0, |comma| comma + 1)
                }
                None => piece.span.start + 1,
            };
            self.slice(from, start)
        };
        let pattern = if spans.len() > 1 {
            before(1)
        } else if before(0).contains('\n') {
            before(0)
        } else {
            " "
        };
        let mut out = open.to_owned();
        for (number, (own, main)) in parts.iter().enumerate() {
            out += match own {
                _ if number == 0 => before(0),
                Some(index) if *index > 0 => before(*index),
                Some(_) | None => pattern,
            };
            out += main;
            if number + 1 < parts.len() {
                out.push(',');
            }
        }
        if !parts.is_empty() {
            let last = spans.last().map_or(piece.span.start + 1, |(_, end)| *end);
            let tail = self.slice(last, piece.span.end - 1);
            out += tail.trim_start().strip_prefix(',').unwrap_or(tail);
        }
        out + close
    }

    /// Writes the value of an entry on one line, as it was written if that is possible.
    fn flow_of(&self, entry: &Entry, place: Place) -> String {
        let found = self.pairs.get(&entry.key_span.start);
        let found = found.filter(|_| entry.key_span.start < entry.key_span.end);
        let raw = found.and_then(|(pair, _)| {
            let is_scalar = matches!(pair.value.shape, Shape::Scalar);
            let is_same = is_scalar && self.fits(&entry.value, &pair.value);
            let raw = is_same.then(|| self.core(&entry.value, &pair.value, place))??;
            let is_quoted = raw.starts_with(['"', '\'']);
            let is_safe = !raw.contains(['\n', ',', '[', ']', '{', '}', '|', '>', '#']);
            (!raw.is_empty() && (is_quoted || is_safe)).then_some(raw)
        });
        match (raw, &entry.value.kind) {
            (Some(raw), _) => raw,
            (None, Kind::Map(entries)) => self.flow_value(entries, place),
            (None, Kind::Scalar(_) | Kind::List(_)) => plain::flow(&entry.value, place.is_json),
        }
    }

    fn flow_value(&self, entries: &[Entry], place: Place) -> String {
        let entries: Vec<String> = entries
            .iter()
            .map(|entry| {
                let key = plain::key(&entry.key, place.is_json);
                format!("{key}: {}", self.flow_of(entry, place))
            })
            .collect();
        format!("{{{}}}", entries.join(", "))
    }
}

/// Whether the keys of a mapping are quoted, as JSON wants it.
fn is_json(piece: &Piece, text: &str) -> bool {
    let Shape::Map(pairs) = &piece.shape else {
        return false;
    };
    let first = pairs.first().and_then(|pair| text.get(pair.key.start..));
    piece.is_flow && first.is_some_and(|key| key.starts_with('"'))
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
