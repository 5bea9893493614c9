//! Writing what stands between brackets.

use std::collections::HashMap;

use super::emit::{Emitter, Place};
use super::pieces::{Pair, Piece, Shape};
use super::plain;
use crate::node::{Entry, Kind, Node};

/// A part with its number in the old text, if it stood there.
type Part = (Option<usize>, String);

impl Emitter<'_> {
    pub(super) fn flow_map(
        &self,
        pairs: &[Pair],
        entries: &[Entry],
        piece: &Piece,
        place: Place,
    ) -> Option<String> {
        let is_json = is_json(piece, self.text);
        let place = Place { is_json, ..place };
        if pairs.iter().any(Pair::is_merge) {
            // Rare enough to be written out.
            return Some(self.flow_value(entries, place));
        }
        let numbers = pairs.iter().enumerate();
        let own: HashMap<usize, usize> = numbers.map(|(at, pair)| (pair.key.start, at)).collect();
        let mut parts = Vec::new();
        for entry in entries {
            let number = own.get(&entry.key_span.start).copied();
            let number = number.filter(|_| entry.is_written());
            let pair = number.and_then(|number| pairs.get(number));
            let key = match pair {
                Some(pair) => self.key(pair, entry, place),
                None => plain::key(&entry.key, is_json),
            };
            let main = match pair {
                Some(pair) if self.fits(&entry.value, &pair.value) => {
                    let between = self.between(pair.key.end, &pair.value, place);
                    let core = self.core(&entry.value, &pair.value, place)?;
                    format!("{key}{between}{core}")
                }
                Some(_) | None => format!("{key}: {}", self.flow_of(entry, place)),
            };
            parts.push((number, main));
        }
        let extents: Vec<_> = pairs
            .iter()
            .map(|pair| (pair.key.start, pair.end()))
            .collect();
        Some(self.flow_join(&parts, &extents, piece))
    }

    pub(super) fn flow_list(
        &self,
        pieces: &[Piece],
        items: &[Node],
        piece: &Piece,
        place: Place,
    ) -> Option<String> {
        let numbers = pieces.iter().enumerate();
        let own: HashMap<usize, usize> = numbers.map(|(at, one)| (one.span.start, at)).collect();
        let mut parts = Vec::new();
        for item in items {
            let number = own.get(&item.span.start).copied();
            let main = match number.and_then(|number| pieces.get(number)) {
                Some(one) if self.fits(item, one) => self.core(item, one, place)?,
                _ => plain::flow(item, place.is_json),
            };
            parts.push((number, main));
        }
        let extents: Vec<_> = pieces
            .iter()
            .map(|one| (one.span.start, one.span.end))
            .collect();
        Some(self.flow_join(&parts, &extents, piece))
    }

    /// Puts the parts between brackets together, with the white space of the old text.
    fn flow_join(&self, parts: &[Part], extents: &[(usize, usize)], piece: &Piece) -> String {
        let open = self.slice(piece.span.start, piece.span.start + 1);
        let close = self.slice(piece.span.end - 1, piece.span.end);
        let before = |number: usize| {
            let (start, _) = extents.get(number).copied().unwrap_or_default();
            let previous = number.checked_sub(1).and_then(|before| extents.get(before));
            let from = match previous {
                Some(&(_, end)) => {
                    let comma = self.slice(end, start).find(',');
                    end + comma.map_or(0, |comma| comma + 1)
                }
                None => piece.span.start + 1,
            };
            self.slice(from, start)
        };
        let pattern = match extents.len() {
            0 | 1 if !before(0).contains('\n') => " ",
            0 | 1 => before(0),
            _ => before(1),
        };
        let mut out = open.to_owned();
        for (number, (own, main)) in parts.iter().enumerate() {
            out += match own {
                _ if number == 0 => before(0),
                Some(own) if *own > 0 => before(*own),
                Some(_) | None => pattern,
            };
            out += main;
            if number + 1 < parts.len() {
                out.push(',');
            }
        }
        if !parts.is_empty() {
            let last = extents.last().map_or(piece.span.start + 1, |(_, end)| *end);
            let tail = self.slice(last, piece.span.end - 1);
            out += tail.trim_start().strip_prefix(',').unwrap_or(tail);
        }
        out + close
    }

    /// Writes the value of an entry on one line, as it was written if that is possible.
    fn flow_of(&self, entry: &Entry, place: Place) -> String {
        let raw = self.home(entry).and_then(|home| {
            let value = &home.pair.value;
            let is_scalar = matches!(value.shape, Shape::Scalar);
            let is_same = is_scalar && self.fits(&entry.value, value);
            let raw = is_same.then(|| self.core(&entry.value, value, place))??;
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
pub(super) fn is_json(piece: &Piece, text: &str) -> bool {
    let Shape::Map(pairs) = &piece.shape else {
        return false;
    };
    let first = pairs.first().and_then(|pair| text.get(pair.key.start..));
    piece.is_flow && first.is_some_and(|key| key.starts_with('"'))
}
