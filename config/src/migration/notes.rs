//! What was done to a document, as it is told: with the keys and the lines that the user wrote.

use std::collections::HashMap;

use serde::Serialize;

use super::edit::{Change, Edit, Weight};
use super::{CURRENT, Form};
use crate::code::Code;
use crate::node::{Kind, Node, item_path, key_path};
use crate::problem::Problem;
use crate::source::{Span, Text};

/// Something that a migration did, or left to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The line of the old document.
    pub line: usize,
    /// The path of the value there, as far as there is one.
    pub old: Option<String>,
    /// Its path in the new document, if it has one.
    pub new: Option<String>,
    /// Why.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether the document means something else now, or something is left to be done.
    pub changes_meaning: bool,
    /// Further lines where the same was done.
    pub also: Vec<usize>,
}

/// Where everything stood in the document of the user: the path of each place.
pub(crate) struct Paths(HashMap<Span, String>);

impl Paths {
    /// Returns the paths of a tree.
    pub(crate) fn of(root: &Node) -> Self {
        let mut paths = HashMap::new();
        collect(root, "", &mut paths);
        Self(paths)
    }

    /// Returns what the user calls what stands at a place.
    pub(crate) fn at(&self, span: Span) -> Option<&str> {
        self.0.get(&span).map(String::as_str)
    }
}

fn collect(node: &Node, path: &str, found: &mut HashMap<Span, String>) {
    match &node.kind {
        Kind::Scalar(_) => {}
        Kind::List(items) => {
            for (index, item) in items.iter().enumerate() {
                let path = item_path(path, index);
                found.entry(item.span).or_insert_with(|| path.clone());
                collect(item, &path, found);
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                let (path, value) = (key_path(path, &entry.key), &entry.value);
                if entry.is_written() {
                    found.entry(entry.key_span).or_insert_with(|| path.clone());
                }
                if value.scalar().is_some() && value.span.start < value.span.end {
                    found.entry(value.span).or_insert_with(|| path.clone());
                }
                collect(value, &path, found);
            }
        }
    }
}

/// Returns what a user has to know of the migration of a document that is loaded.
pub(crate) fn warnings(
    changes: &[Change],
    form: &Form,
    paths: &Paths,
    version: Span,
) -> Vec<Problem> {
    let name = if form.name.is_empty() {
        "this is a configuration without `apiVersion`".to_owned()
    } else {
        format!("this is a configuration of `{}`", form.name)
    };
    let text = format!(
        "{name}, of Launchpad {}: it is read as `{CURRENT}`",
        form.releases
    );
    let hint = "`launchpad migrate --diff` shows what that changes, `launchpad migrate --write` changes the file";
    let mut found = vec![Problem::warning(Code::OlderForm, version, text).hint(hint)];
    for (change, others) in grouped(changes) {
        if change.weight == Weight::Form {
            continue;
        }
        let mut message = change.why.clone().into_owned();
        match others.len() {
            0 => {}
            1 => message.push_str(" (and at 1 other place)"),
            more => message.push_str(&format!(" (and at {more} other places)")),
        }
        let mut problem = Problem::warning(Code::ChangedMeaning, change.span, message);
        problem.hint = change.hint.clone().map(Into::into);
        found.push(problem.path(paths.at(change.span).unwrap_or_default()));
    }
    found
}

/// Returns all that was done, in the order of the document.
pub(crate) fn notes(changes: &[Change], paths: &Paths, migrated: &Node, text: &Text) -> Vec<Note> {
    let new = Paths::of(migrated);
    let line = |span: Span| text.line_at(span.start) + 1;
    let mut found: Vec<Note> = grouped(changes)
        .into_iter()
        .map(|(change, others)| Note {
            line: line(change.span),
            old: paths.at(change.span).map(ToOwned::to_owned),
            new: new
                .at(change.span)
                .or_else(|| target(&change.edit))
                .map(ToOwned::to_owned),
            why: change.why.clone().into_owned(),
            hint: change.hint.clone().map(Into::into),
            changes_meaning: change.weight == Weight::Meaning,
            also: others.into_iter().map(|other| line(other.span)).collect(),
        })
        .collect();
    found.sort_by_key(|note| note.line);
    found.dedup();
    found
}

/// Returns the path that a value was set at, where the old text has nothing that it came from.
fn target(edit: &Edit) -> Option<&str> {
    match edit {
        Edit::Set { path, .. } => Some(path),
        Edit::Rename { .. }
        | Edit::Move { .. }
        | Edit::Drop { .. }
        | Edit::Wrap { .. }
        | Edit::Escape { .. }
        | Edit::Leave { .. }
        | Edit::Note { .. } => None,
    }
}

/// Puts together what was done for the same reason; a place counts once.
fn grouped(changes: &[Change]) -> Vec<(&Change, Vec<&Change>)> {
    let mut found: Vec<(&Change, Vec<&Change>)> = Vec::new();
    let mut index: HashMap<(&str, &str), usize> = HashMap::new();
    for change in changes {
        let key = (kind(&change.edit), change.why.as_ref());
        match index.get(&key).and_then(|at| found.get_mut(*at)) {
            Some((first, others)) => {
                let is_known = first.span == change.span
                    || others.last().is_some_and(|other| other.span == change.span);
                if !is_known {
                    others.push(change);
                }
            }
            None => {
                index.insert(key, found.len());
                found.push((change, Vec::new()));
            }
        }
    }
    found
}

/// Returns what is done, and the key that it is done to.
fn kind(edit: &Edit) -> &str {
    match edit {
        Edit::Rename { path, .. }
        | Edit::Drop { path }
        | Edit::Set { path, .. }
        | Edit::Wrap { path, .. }
        | Edit::Escape { path }
        | Edit::Leave { path }
        | Edit::Note { path }
        | Edit::Move { from: path, .. } => path.rsplit(['.', '[']).next().unwrap_or(path),
    }
}
