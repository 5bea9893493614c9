//! Writing what indentation holds together: entries and items with the comments around them.

use std::collections::HashMap;

use super::emit::{Emitter, Place, tag_of};
use super::pieces::{Pair, Piece, Shape, Tag};
use super::same;
use crate::node::{Entry, Kind, Node};

/// From where to where something stands.
type Extent = (usize, usize);

/// Part of a block: what stands there, with the comments above it.
pub(super) struct Chunk {
    /// Which part of the old block it was.
    own: Option<usize>,
    pub(super) lead: String,
    pub(super) main: String,
}

impl Chunk {
    /// What was no part of the old block.
    pub(super) fn new(lead: String, main: String) -> Self {
        let own = None;
        Self { own, lead, main }
    }
}

impl Emitter<'_> {
    pub(super) fn block_map(
        &self,
        pairs: &[Pair],
        entries: &[Entry],
        piece: &Piece,
        place: Place,
    ) -> Option<String> {
        let column = self.column(piece.span.start);
        let place = Place { column, ..place };
        let extents: Vec<Extent> = pairs
            .iter()
            .map(|pair| (pair.key.start, self.line_end(pair.end())))
            .collect();
        let numbers = pairs.iter().enumerate();
        let own: HashMap<usize, usize> = numbers.map(|(at, pair)| (pair.key.start, at)).collect();
        let own = |entry: &Entry| {
            let number = own.get(&entry.key_span.start).copied();
            number.filter(|_| entry.is_written())
        };
        let has_merges = pairs.iter().any(Pair::is_merge);
        let inherited = self.inherited(pairs, entries, &own);
        let mut chunks = Vec::new();
        for entry in entries {
            let number = own(entry);
            if let Some((number, pair)) = number.and_then(|at| Some((at, pairs.get(at)?))) {
                let main = self.pair(pair, entry, place)?;
                chunks.push(self.own_chunk(&extents, number, column, main));
            } else if inherited
                .as_ref()
                .is_none_or(|keys| !keys.contains(&entry.key.as_str()))
            {
                let is_copy = place.is_copy || has_merges;
                chunks.push(self.guest(entry, Place { is_copy, ..place })?);
            }
        }
        let merges = pairs.iter().enumerate().filter(|(_, pair)| pair.is_merge());
        for (number, pair) in merges.filter(|_| inherited.is_some()) {
            let is_behind = |chunk: &Chunk| chunk.own.is_some_and(|own| own > number);
            let at = chunks.iter().position(is_behind).unwrap_or(chunks.len());
            let main = self.slice(pair.key.start, self.line_end(pair.end()));
            let chunk = self.own_chunk(&extents, number, column, main.to_owned());
            chunks.insert(at, chunk);
        }
        Some(self.join(chunks, &extents, column))
    }

    /// Returns the keys that the merges of a mapping bring, if they bring what is wanted.
    fn inherited<'e>(
        &self,
        pairs: &[Pair],
        entries: &'e [Entry],
        own: &dyn Fn(&Entry) -> Option<usize>,
    ) -> Option<Vec<&'e str>> {
        let mut keys = Vec::new();
        let mut merges = pairs.iter().filter(|pair| pair.is_merge()).peekable();
        if self.writes_out || merges.peek().is_none() {
            return None;
        }
        for pair in merges {
            let sources = match &pair.value.shape {
                Shape::List(items) => items.as_slice(),
                _ => std::slice::from_ref(&pair.value),
            };
            for source in sources {
                for one in self.brought(source)? {
                    let entry = entries.iter().find(|entry| entry.key == one.key)?;
                    let is_new = !keys.contains(&entry.key.as_str());
                    if is_new && own(entry).is_none() && same(&entry.value, &one.value) {
                        keys.push(entry.key.as_str());
                    }
                }
            }
        }
        Some(keys)
    }

    /// Returns what an alias brings into a mapping now.
    fn brought(&self, source: &Piece) -> Option<&[Entry]> {
        let Shape::Alias(id) = source.shape else {
            return None;
        };
        let anchored = self.index.anchors.get(&id)?;
        match &self.new.get(&(anchored.span.start, anchored.tag()))?.kind {
            Kind::Map(entries) => Some(entries),
            Kind::Scalar(_) | Kind::List(_) => None,
        }
    }

    pub(super) fn block_list(
        &self,
        pieces: &[Piece],
        items: &[Node],
        piece: &Piece,
        place: Place,
    ) -> Option<String> {
        let column = self.column(piece.begin);
        let place = Place { column, ..place };
        let mut extents: Vec<Extent> = Vec::new();
        let mut own = HashMap::new();
        for (number, one) in pieces.iter().enumerate() {
            let from = extents.last().map_or(piece.begin, |(_, end)| *end);
            let dash = self.dash(from, one.begin)?;
            extents.push((dash, self.line_end(one.span.end.max(dash + 1))));
            own.entry((one.span.start, one.tag())).or_insert(number);
        }
        let mut chunks = Vec::new();
        for item in items {
            let start = item.span.start;
            let number = own.get(&(start, tag_of(item)));
            let number = *number.or_else(|| own.get(&(start, Tag::Alias)))?;
            let (one, dash) = (pieces.get(number)?, extents.get(number)?.0);
            let main = if self.fits(item, one) {
                let between = self.between(dash + 1, one, place);
                let core = self.core(item, one, place)?;
                let core = if core.is_empty() {
                    one.emptied()
                } else {
                    &core
                };
                format!("-{between}{core}{}", self.tail(one.span.end, one))
            } else {
                let fresh = self.fresh(item, place)?;
                format!("- {}", fresh.trim_start())
            };
            chunks.push(self.own_chunk(&extents, number, column, main));
        }
        Some(self.join(chunks, &extents, column))
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

    fn own_chunk(&self, extents: &[Extent], number: usize, column: usize, main: String) -> Chunk {
        let (before, start) = neighbours(extents, number);
        let lead = self.lead(before, start).to_owned() + &self.comment_lines(start, column);
        let own = Some(number);
        Chunk { own, lead, main }
    }

    /// Puts chunks together, with what stood between them.
    fn join(&self, mut chunks: Vec<Chunk>, extents: &[Extent], column: usize) -> String {
        let numbers = chunks.iter().enumerate();
        let kept: HashMap<usize, usize> = numbers
            .filter_map(|(at, chunk)| Some((chunk.own?, at)))
            .collect();
        let mut gaps = vec![self.eol; chunks.len()];
        // What stood behind something that is gone, or before it, stays.
        let mut left = String::new();
        for number in 0..extents.len() {
            let gap = self.gap(extents, number);
            let chunk = kept
                .get(&number)
                .and_then(|&at| Some((at, chunks.get_mut(at)?)));
            if let Some((at, chunk)) = chunk {
                chunk.lead.insert_str(0, &std::mem::take(&mut left));
                if let Some(slot) = gaps.get_mut(at).filter(|_| !gap.is_empty()) {
                    *slot = gap;
                }
                continue;
            }
            let (before, start) = neighbours(extents, number);
            // The comments of what moved go with it.
            if !self.keys.contains(&start) {
                left += self.lead(before, start);
            }
            left += gap.split_once('\n').map_or("", |(_, rest)| rest);
        }
        let mut out = String::new();
        for (number, (chunk, gap)) in chunks.iter().zip(gaps).enumerate() {
            // The first one stands at its column already.
            let lead = match number {
                0 => chunk.lead.trim_start(),
                _ => chunk.lead.as_str(),
            };
            out += lead;
            if number > 0 || !lead.is_empty() {
                out += &" ".repeat(column);
            }
            out += &chunk.main;
            if number + 1 < chunks.len() {
                out += gap;
            } else if left.contains('#') {
                out += self.eol;
                out += left.trim_end();
            }
        }
        out
    }

    /// Returns the comments that are added above a key.
    pub(super) fn comment_lines(&self, key: usize, column: usize) -> String {
        let lines = self.comments.get(&key).into_iter().flatten();
        lines
            .map(|line| format!("{}{line}{}", " ".repeat(column), self.eol))
            .collect()
    }

    /// Returns where the comments begin that stand right above something, behind what ends before it.
    fn lead_start(&self, before: Option<usize>, start: usize) -> usize {
        let Some(end) = before else {
            return start;
        };
        let mut at = self.line_start(start);
        while at > end {
            let above = self.line_start(at - 1);
            if above <= end || !self.slice(above, at).trim_start().starts_with('#') {
                break;
            }
            at = above;
        }
        at
    }

    /// Returns the lines of these comments.
    pub(super) fn lead(&self, before: Option<usize>, start: usize) -> &str {
        // Nothing where the two are in the wrong order: on the line of what is before.
        self.slice(self.lead_start(before, start), self.line_start(start))
    }

    /// Returns what stands between something and the comments above the next.
    fn gap(&self, extents: &[Extent], number: usize) -> &str {
        let next = extents.get(number + 1);
        let (Some(&(_, end)), Some(&(next, _))) = (extents.get(number), next) else {
            return "";
        };
        let to = self.lead_start(Some(end), next).min(self.line_start(next));
        self.slice(end, to.max(end))
    }
}

/// Returns where something starts, and where what stands before it ends.
fn neighbours(extents: &[Extent], number: usize) -> (Option<usize>, usize) {
    let before = number.checked_sub(1).and_then(|before| extents.get(before));
    let start = extents.get(number).map_or(0, |(start, _)| *start);
    (before.map(|(_, end)| *end), start)
}
