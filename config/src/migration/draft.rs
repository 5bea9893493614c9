//! A document on its way: the tree, and what was done to it.

use std::borrow::Cow;

use super::edit::{Change, Edit, Weight, apply};
use super::{Form, Purpose};
use crate::node::{self, Kind, Node, Style, item_path, key_path};
use crate::scalar;
use crate::source::Span;
use crate::substitute::has_expression;

/// A document that is being migrated.
pub(crate) struct Draft {
    root: Node,
    changes: Vec<Change>,
    /// The form that it had at first.
    pub(super) form: &'static Form,
    /// Whether the engine that a host has is to stay, since none was named.
    pub(super) keeps_engine: bool,
    /// What it is migrated for.
    pub(super) purpose: Purpose,
}

/// What a migration has done.
pub(crate) struct Outcome {
    pub(crate) changes: Vec<Change>,
    /// Whether the engine that a host has is to stay.
    pub(crate) keeps_engine: bool,
}

/// Why something is done.
pub(super) struct Reason {
    why: Cow<'static, str>,
    hint: Option<Cow<'static, str>>,
    weight: Weight,
}

/// A reason that only the form has.
pub(super) fn form(why: &'static str) -> Reason {
    Reason {
        why: why.into(),
        hint: None,
        weight: Weight::Form,
    }
}

/// A reason that the user should know.
pub(super) fn meaning(
    why: impl Into<Cow<'static, str>>,
    hint: impl Into<Cow<'static, str>>,
) -> Reason {
    Reason {
        why: why.into(),
        hint: Some(hint.into()),
        weight: Weight::Meaning,
    }
}

impl Draft {
    pub(super) fn new(root: Node, form: &'static Form, purpose: Purpose) -> Self {
        Self {
            root,
            changes: Vec::new(),
            form,
            keeps_engine: false,
            purpose,
        }
    }

    pub(super) fn finish(self) -> (Node, Outcome) {
        let outcome = Outcome {
            changes: self.changes,
            keeps_engine: self.keeps_engine,
        };
        (self.root, outcome)
    }

    /// Returns the whole tree.
    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    /// Returns the value at a path; null counts.
    pub(super) fn value(&self, path: &str) -> Option<&Node> {
        node::value(&self.root, path)
    }

    /// Returns the value at a path, if it is there and not null.
    pub(super) fn given(&self, path: &str) -> Option<&Node> {
        self.value(path).filter(|value| !value.is_null())
    }

    /// Returns the text of a scalar at a path, if it is there and not null.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        let scalar = self.given(path)?.scalar()?;
        Some(scalar.text.as_str())
    }

    /// Returns the text at a path, if it is there and not empty.
    pub(super) fn filled(&self, path: &str) -> Option<&str> {
        self.text(path).filter(|text| !text.is_empty())
    }

    /// Returns what a boolean at a path says, if it is one.
    pub(super) fn boolean(&self, path: &str) -> Option<bool> {
        let scalar = self.value(path)?.scalar()?;
        let is_text = scalar.style == Style::Quoted && scalar.written.is_none();
        (!is_text).then(|| scalar::boolean(&scalar.text))?
    }

    /// Whether a text at a path is known only when variables are put in.
    pub(super) fn is_open(&self, path: &str) -> bool {
        let has_variables = self.purpose == Purpose::Rewrite && self.form.has_variables;
        has_variables && self.text(path).is_some_and(has_expression)
    }

    /// Whether there is a mapping at a path.
    pub(super) fn is_mapping(&self, path: &str) -> bool {
        matches!(self.value(path), Some(node) if matches!(node.kind, Kind::Map(_)))
    }

    /// Returns the paths of all hosts that are mappings.
    pub(super) fn hosts(&self) -> Vec<String> {
        let count = match self.value("spec.hosts").map(|hosts| &hosts.kind) {
            Some(Kind::List(items)) => items.len(),
            _ => 0,
        };
        let paths = (0..count).map(|index| item_path("spec.hosts", index));
        paths.filter(|path| self.is_mapping(path)).collect()
    }

    /// Returns the paths of all texts below a path.
    pub(super) fn texts(&self, path: &str) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(node) = self.value(path) {
            collect_texts(node, path, &mut found);
        }
        found
    }

    /// Returns where the key of a path stands, or what is nearest to it.
    pub(super) fn place(&self, path: &str) -> Span {
        node::key_place(&self.root, path).unwrap_or(Span {
            start: self.root.span.start,
            end: self.root.span.start,
        })
    }

    /// Returns where a value stands, or what is nearest to it.
    pub(super) fn written_at(&self, path: &str) -> Span {
        let value = self
            .value(path)
            .filter(|value| value.span.start < value.span.end);
        value.map_or_else(|| self.place(path), |value| value.span)
    }

    fn change(&mut self, edit: Edit, span: Span, reason: Reason) {
        if apply(&mut self.root, &edit, span).is_some() {
            self.changes.push(Change {
                edit,
                span,
                why: reason.why,
                hint: reason.hint,
                weight: reason.weight,
            });
        }
    }

    /// Gives a key another name, if it is there. A value that has the new name already was never
    /// read and goes.
    pub(super) fn rename(&mut self, path: &str, to: &'static str, reason: Reason) {
        if self.value(path).is_none() {
            return;
        }
        let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
        self.drop_unread(&key_path(parent, to));
        let span = self.place(path);
        let path = path.to_owned();
        self.change(Edit::Rename { path, to }, span, reason);
    }

    /// Moves a value to another path, if it is there.
    pub(super) fn shift(&mut self, from: &str, to: &str, is_first: bool, reason: Reason) {
        if self.value(from).is_none() {
            return;
        }
        let span = self.place(from);
        let edit = Edit::Move {
            from: from.to_owned(),
            to: to.to_owned(),
            is_first,
        };
        self.change(edit, span, reason);
    }

    /// Removes a value, if it is there.
    pub(super) fn drop(&mut self, path: &str, reason: Reason) {
        if self.value(path).is_none() {
            return;
        }
        let span = self.place(path);
        let path = path.to_owned();
        self.change(Edit::Drop { path }, span, reason);
    }

    /// Removes a value that no release read under this name.
    pub(super) fn drop_unread(&mut self, path: &str) {
        let why = "this version of the API does not know the key; it was ignored";
        self.drop(path, meaning(why, "remove it"));
    }

    /// Removes a value that is null, as if it were not there.
    pub(super) fn drop_null(&mut self, path: &str) {
        if self.value(path).is_some_and(Node::is_null) {
            self.drop(path, form("it is empty"));
        }
    }

    /// Sets a text, standing for what is at a place.
    pub(super) fn set(&mut self, path: &str, text: impl Into<String>, span: Span, reason: Reason) {
        let (path, text) = (path.to_owned(), text.into());
        let style = Style::Quoted;
        self.change(Edit::Set { path, text, style }, span, reason);
    }

    /// Makes a scalar a mapping with one key.
    pub(super) fn wrap(
        &mut self,
        path: &str,
        key: &'static str,
        value: &'static str,
        reason: Reason,
    ) {
        let span = self.written_at(path);
        let path = path.to_owned();
        self.change(Edit::Wrap { path, key, value }, span, reason);
    }

    /// Doubles each `$` of a text.
    pub(super) fn escape(&mut self, path: &str, reason: Reason) {
        let span = self.place(path);
        let path = path.to_owned();
        self.change(Edit::Escape { path }, span, reason);
    }

    /// Leaves a value as it is, with a comment.
    pub(super) fn leave(&mut self, path: &str, reason: Reason) {
        let span = self.place(path);
        let path = path.to_owned();
        self.change(Edit::Leave { path }, span, reason);
    }

    /// Says something about a value.
    pub(super) fn note(&mut self, path: &str, reason: Reason) {
        let span = self.place(path);
        let path = path.to_owned();
        self.change(Edit::Note { path }, span, reason);
    }

    /// Names the next form.
    pub(super) fn version(&mut self, name: &'static str) {
        let span = self.written_at("apiVersion");
        self.set("apiVersion", name, span, form("the newest form"));
    }

    /// Names the kind of the cluster by its products, where it has one of the names of its time.
    pub(super) fn kind_by_products(&mut self, old: &[&str]) {
        if self.text("kind").is_none_or(|kind| !old.contains(&kind)) {
            return;
        }
        let is_msr = |host: &String| self.text(&format!("{host}.role")) == Some("msr");
        let has_msr = self.is_mapping("spec.msr") || self.hosts().iter().any(is_msr);
        self.kind(if has_msr { "mke+msr" } else { "mke" });
    }

    /// Sets the kind of the cluster.
    pub(super) fn kind(&mut self, name: &'static str) {
        let span = self.written_at("kind");
        self.set("kind", name, span, form("it has another name now"));
    }
}

fn collect_texts(node: &Node, path: &str, found: &mut Vec<String>) {
    match &node.kind {
        Kind::Scalar(_) => found.push(path.to_owned()),
        Kind::List(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_texts(item, &item_path(path, index), found);
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                collect_texts(&entry.value, &key_path(path, &entry.key), found);
            }
        }
    }
}
