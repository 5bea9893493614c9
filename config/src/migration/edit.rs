//! What a migration does to a document, and how it is done to its tree.

use std::borrow::Cow;

use crate::node::{Entry, Kind, Node, Scalar, Step, Style, steps};
use crate::source::Span;

/// A change of a document. Paths are those at the time of the edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    /// A key gets another name, in its place.
    Rename {
        /// The path of the value.
        path: String,
        /// The new key.
        to: &'static str,
    },
    /// A value goes into another mapping, which is made if it is not there.
    Move {
        /// The path of the value.
        from: String,
        /// Its new path.
        to: String,
        /// Whether it becomes the first of the mapping.
        is_first: bool,
    },
    /// A value goes.
    Drop {
        /// Its path.
        path: String,
    },
    /// A value is set, or replaced in its place.
    Set {
        /// Its path.
        path: String,
        /// The new text.
        text: String,
        /// Whether it is a text, or what YAML makes of it.
        style: Style,
    },
    /// A scalar becomes a mapping with one key.
    Wrap {
        /// The path of the scalar.
        path: String,
        /// The key.
        key: &'static str,
        /// Its value, as YAML reads it.
        value: &'static str,
    },
    /// Each `$` of a text is doubled, since it was no variable.
    Escape {
        /// The path of the text.
        path: String,
    },
    /// A value is left for the user to decide on.
    Leave {
        /// Its path.
        path: String,
    },
    /// Nothing is done; there is something to know.
    Note {
        /// The path of what it is about.
        path: String,
    },
}

/// Whether a change is one of the form only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// The document means the same.
    Form,
    /// The user should know.
    Meaning,
}

/// An edit with its reason.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// What was done.
    pub(crate) edit: Edit,
    /// Where it was written, in the text of the user.
    pub(crate) span: Span,
    /// Why, as a sentence.
    pub(crate) why: Cow<'static, str>,
    /// What to do about it.
    pub(crate) hint: Option<Cow<'static, str>>,
    /// Whether the document means something else now.
    pub(crate) weight: Weight,
}

impl Node {
    /// Returns a place-holder.
    pub(crate) fn nothing() -> Self {
        Self::scalar_at(String::new(), Style::Plain, Span::default())
    }

    /// Makes a scalar that nobody wrote, standing for what is at a place.
    pub(crate) fn scalar_at(text: String, style: Style, span: Span) -> Self {
        Self {
            span,
            origin: None,
            kind: Kind::Scalar(Scalar {
                text,
                style,
                written: None,
            }),
        }
    }

    fn step_mut(&mut self, step: &Step) -> Option<&mut Self> {
        match (&mut self.kind, step) {
            (Kind::Map(entries), Step::Key(key)) => {
                let entry = entries.iter_mut().find(|entry| entry.key == *key)?;
                Some(&mut entry.value)
            }
            (Kind::List(items), Step::Index(index)) => items.get_mut(*index),
            _ => None,
        }
    }

    /// Returns the value at a path, to be changed.
    pub(crate) fn value_mut(&mut self, path: &str) -> Option<&mut Self> {
        let steps = steps(path);
        steps
            .iter()
            .try_fold(self, |node, step| node.step_mut(step))
    }

    /// Returns the entries of a mapping.
    pub(crate) fn entries_mut(&mut self) -> Option<&mut Vec<Entry>> {
        match &mut self.kind {
            Kind::Map(entries) => Some(entries),
            Kind::Scalar(_) | Kind::List(_) => None,
        }
    }

    /// Takes an entry out of a mapping; returns it with where it stood.
    fn take(&mut self, path: &str) -> Option<(Entry, usize)> {
        let mut steps = steps(path);
        let Step::Key(key) = steps.pop()? else {
            return None;
        };
        let parent = steps
            .iter()
            .try_fold(self, |node, step| node.step_mut(step))?;
        let entries = parent.entries_mut()?;
        let at = entries.iter().position(|entry| entry.key == key)?;
        Some((entries.remove(at), at))
    }

    /// Returns the mapping at a path; makes it at an index of its parent if it is not there.
    fn mapping(
        &mut self,
        steps: &[Step],
        at: Option<usize>,
        span: Span,
    ) -> Option<&mut Vec<Entry>> {
        let Some((last, before)) = steps.split_last() else {
            return self.entries_mut();
        };
        let parent = if before.is_empty() {
            self
        } else {
            let is_there = before
                .iter()
                .try_fold(&*self, |node, step| node.step(step))
                .is_some();
            if is_there {
                before
                    .iter()
                    .try_fold(self, |node, step| node.step_mut(step))?
            } else {
                self.mapping(before, None, span)?;
                before
                    .iter()
                    .try_fold(self, |node, step| node.step_mut(step))?
            }
        };
        let Step::Key(key) = last else {
            return parent.step_mut(last)?.entries_mut();
        };
        let entries = parent.entries_mut()?;
        let found = entries.iter().position(|entry| entry.key == *key);
        let index = found.unwrap_or_else(|| {
            let index = at.unwrap_or(entries.len()).min(entries.len());
            entries.insert(index, new_entry(key.clone(), new_mapping(span)));
            index
        });
        let value = &mut entries.get_mut(index)?.value;
        if value.is_null() {
            value.kind = Kind::Map(Vec::new());
        }
        value.entries_mut()
    }
}

/// Makes an entry that no text has: its key is at the start of something, and empty.
fn new_entry(key: String, value: Node) -> Entry {
    let start = value.span.start;
    Entry {
        key,
        key_span: Span { start, end: start },
        value,
    }
}

fn new_mapping(span: Span) -> Node {
    Node {
        span: Span {
            start: span.start,
            end: span.start,
        },
        origin: None,
        kind: Kind::Map(Vec::new()),
    }
}

/// Whether all that is there on the way to a key are mappings.
fn leads_to_mappings(root: &Node, steps: &[Step]) -> bool {
    let mut node = root;
    for step in steps {
        let is_way = match step {
            Step::Key(_) => matches!(node.kind, Kind::Map(_)) || node.is_null(),
            Step::Index(_) => matches!(node.kind, Kind::List(_)),
        };
        match node.step(step) {
            _ if !is_way => return false,
            Some(next) => node = next,
            None => return true,
        }
    }
    true
}

/// Does an edit to a tree; returns whether there was something to do it to.
pub(super) fn apply(root: &mut Node, edit: &Edit, span: Span) -> Option<()> {
    match edit {
        Edit::Rename { path, to } => {
            let mut steps = steps(path);
            let Step::Key(key) = steps.pop()? else {
                return None;
            };
            let parent = steps
                .iter()
                .try_fold(root, |node, step| node.step_mut(step))?;
            let entries = parent.entries_mut()?;
            entries.retain(|entry| entry.key != *to);
            let entry = entries.iter_mut().find(|entry| entry.key == key)?;
            (*to).clone_into(&mut entry.key);
        }
        Edit::Move { from, to, is_first } => {
            let mut steps = steps(to);
            if !leads_to_mappings(root, &steps) {
                return None;
            }
            let (mut entry, at) = root.take(from)?;
            let Step::Key(key) = steps.pop()? else {
                return None;
            };
            entry.key = key;
            // A mapping that is made for it stands where the value stood.
            let here = from.rsplit_once('.').map_or("", |(parent, _)| parent);
            let there = to.rsplit_once('.').map_or("", |(parent, _)| parent);
            let there = there.rsplit_once('.').map_or("", |(parent, _)| parent);
            let place = entry.key_span;
            let into = root.mapping(&steps, (here == there).then_some(at), place)?;
            into.retain(|other| other.key != entry.key);
            let index = if *is_first { 0 } else { into.len() };
            into.insert(index, entry);
        }
        Edit::Drop { path } => match steps(path).last()? {
            Step::Key(_) => drop(root.take(path)?),
            Step::Index(index) => {
                let (parent, _) = path.rsplit_once('[')?;
                let Kind::List(items) = &mut root.value_mut(parent)?.kind else {
                    return None;
                };
                (*index < items.len()).then(|| items.remove(*index))?;
            }
        },
        Edit::Set { path, text, style } => {
            if let Some(value) = root.value_mut(path) {
                *value = Node::scalar_at(text.clone(), *style, span);
            } else {
                let mut steps = steps(path);
                let Step::Key(key) = steps.pop()? else {
                    return None;
                };
                let entries = root.mapping(&steps, None, span)?;
                let entry = new_entry(key, Node::scalar_at(text.clone(), *style, span));
                // What a document is stands at its head.
                let index = match (entry.key.as_str(), steps.is_empty()) {
                    ("apiVersion", true) => 0,
                    ("kind", true) => 1,
                    _ => entries.len(),
                };
                entries.insert(index.min(entries.len()), entry);
            }
        }
        Edit::Wrap { path, key, value } => {
            let node = root.value_mut(path)?;
            let value = Node::scalar_at((*value).to_owned(), Style::Plain, span);
            *node = new_mapping(span);
            node.entries_mut()?
                .push(new_entry((*key).to_owned(), value));
        }
        Edit::Escape { path } => {
            let Kind::Scalar(scalar) = &mut root.value_mut(path)?.kind else {
                return None;
            };
            scalar.text = scalar.text.replace('$', "$$");
        }
        Edit::Leave { path } | Edit::Note { path } => drop(root.value_mut(path)?),
    }
    Some(())
}
