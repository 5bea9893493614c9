//! The text of a migrated document: what did not have to change stands as it was written, with its
//! comments, quotes, anchors and variables.
//!
//! The new text is made from the old one and the migrated tree, whose parts know where they were
//! written. It is read again and compared with the tree; where the two differ, aliases and merges
//! are written out, and as the last resort the whole document.

mod block;
mod emit;
mod flow;
mod pieces;
mod plain;

use std::collections::HashMap;

use emit::{Emitter, Setting};
use pieces::pieces;
use plain::Comments;

use super::edit::{Change, Edit};
use crate::diagnostic::Severity;
use crate::node::{Entry, Kind, Node};
use crate::parse::{Duplicates, parse};
use crate::problem::Problem;
use crate::source::Text;

/// The new text of a document.
pub(super) struct Rewritten {
    pub(super) text: String,
    /// Whether comments and order could not be kept.
    pub(super) is_plain: bool,
}

/// Writes a migrated tree with all that can be kept of its old text.
pub(super) fn rewrite(text: &Text, old: &Node, new: &Node, changes: &[Change]) -> Rewritten {
    let comments = comments(changes);
    let setting = |writes_out| Setting {
        text: &text.text,
        old,
        new,
        comments: &comments,
        writes_out,
    };
    if let Some(root) = pieces(&text.text) {
        for writes_out in [false, true] {
            let Some(written) = Emitter::new(&setting(writes_out), &root).document(&root) else {
                continue;
            };
            if reads_as(&written, new) {
                return Rewritten {
                    text: written,
                    is_plain: false,
                };
            }
        }
    }
    Rewritten {
        text: plain::document(new, &comments),
        is_plain: true,
    }
}

/// Returns the comments of what was left to the user, by where its key stands.
fn comments(changes: &[Change]) -> Comments {
    let mut found = Comments::new();
    for change in changes {
        if !matches!(change.edit, Edit::Leave { .. }) {
            continue;
        }
        let lines = found.entry(change.span.start).or_default();
        let hint = change.hint.as_ref().map(|hint| format!("; {hint}"));
        let line = format!("# TODO {}{}", change.why, hint.unwrap_or_default());
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    found
}

/// Whether a text is read as a tree.
fn reads_as(text: &str, tree: &Node) -> bool {
    let text = Text::new(String::new(), text.to_owned());
    let parsed = parse(&text, Duplicates::Refused);
    parsed.is_ok_and(|parsed| {
        let is_error = |problem: &Problem| problem.severity == Severity::Error;
        !parsed.problems.iter().any(is_error) && same(&parsed.root, tree)
    })
}

/// Whether two trees mean the same, wherever they stand.
pub(super) fn same(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Scalar(one), Kind::Scalar(other)) => {
            one.is_null() == other.is_null() && (one.is_null() || one.text == other.text)
        }
        (Kind::List(one), Kind::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same(a, b))
        }
        (Kind::Map(one), Kind::Map(other)) => {
            let by_key: HashMap<&str, &Node> = other
                .iter()
                .map(|entry| (entry.key.as_str(), &entry.value))
                .collect();
            let is_same = |entry: &Entry| {
                let found = by_key.get(entry.key.as_str());
                found.is_some_and(|value| same(&entry.value, value))
            };
            one.len() == other.len() && one.iter().all(is_same)
        }
        _ => false,
    }
}
