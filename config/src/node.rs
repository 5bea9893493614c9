//! The tree of a document: scalars as they were written, each with its place in the text.
//!
//! The tree may be changed (migrated, substituted); what is not changed keeps its place.

use crate::source::Span;

/// A value of the document.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// Where the value stands; for what an alias stands for, where the alias does.
    pub(crate) span: Span,
    /// Where the text was written, if that is somewhere else (behind an anchor).
    pub(crate) origin: Option<Span>,
    /// What it is.
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text, not yet interpreted.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the document.
    Map(Vec<Entry>),
}

/// A scalar.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Scalar {
    /// The text, without quotes.
    pub(crate) text: String,
    /// How it was written.
    pub(crate) style: Style,
    /// The text before variables of the environment were put in, where any were.
    pub(crate) written: Option<String>,
}

/// How a scalar was written, as far as it tells what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Style {
    /// Without quotes: the reader decides.
    Plain,
    /// In quotes, as a block, or tagged `!!str`: a text.
    Quoted,
    /// Tagged `!!int`, `!!bool`, `!!float` or `!!null`.
    Tagged,
}

/// A key with its value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: String,
    /// Where the key stands.
    pub(crate) key_span: Span,
    /// The value.
    pub(crate) value: Node,
}

impl Node {
    /// Returns what the value is, for "expected text, found a list".
    pub(crate) fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar(_) if self.is_null() => "nothing",
            Kind::Scalar(_) => "a single value",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }

    /// Whether the value is left out (`key:`, `~`, `null`).
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(scalar) if scalar.is_null())
    }

    /// Returns the scalar.
    pub(crate) fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// Returns the value of a key.
    pub(crate) fn field(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key == key),
            Kind::Scalar(_) | Kind::List(_) => None,
        }
    }

    /// Returns the value that a step leads to.
    pub(crate) fn step(&self, step: &Step) -> Option<&Self> {
        match step {
            Step::Key(key) => self.field(key).map(|entry| &entry.value),
            Step::Index(index) => self.item(*index),
        }
    }

    /// Returns an item of a list.
    pub(crate) fn item(&self, index: usize) -> Option<&Self> {
        match &self.kind {
            Kind::List(items) => items.get(index),
            Kind::Scalar(_) | Kind::Map(_) => None,
        }
    }
}

impl Entry {
    /// Whether somebody wrote the key: one that a migration made is at the start of something, and empty.
    pub(crate) fn is_written(&self) -> bool {
        self.key_span.start < self.key_span.end
    }
}

impl Scalar {
    /// Whether the scalar stands for nothing; what came from the environment is a text, unless it
    /// is empty.
    pub(crate) fn is_null(&self) -> bool {
        match (self.style, &self.written) {
            (Style::Quoted, _) => false,
            (Style::Plain | Style::Tagged, Some(_)) => self.text.is_empty(),
            (Style::Plain | Style::Tagged, None) => {
                matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
        }
    }
}

/// A step of a path into the document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Into a mapping.
    Key(String),
    /// Into a list.
    Index(usize),
}

/// Returns the path of a key below another path (`spec.mcr`).
pub(crate) fn key_path(parent: &str, key: &str) -> String {
    let is_plain = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    match (parent.is_empty(), is_plain) {
        (true, true) => key.to_owned(),
        (false, true) => format!("{parent}.{key}"),
        (_, false) => format!("{parent}[\"{}\"]", key.escape_debug()),
    }
}

/// Returns the path of an item of a list (`spec.hosts[2]`).
pub(crate) fn item_path(parent: &str, index: usize) -> String {
    format!("{parent}[{index}]")
}

/// Reads a path like `spec.hosts[2].environment["a.b"]`; stops at what is none.
pub(crate) fn steps(path: &str) -> Vec<Step> {
    let mut found = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some((key, after)) = rest.strip_prefix("[\"").and_then(quoted_key) {
            found.push(Step::Key(key));
            rest = after;
        } else if let Some((index, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']'))
        {
            let Ok(index) = index.parse() else { break };
            found.push(Step::Index(index));
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, after) = rest.split_at(end);
            found.push(Step::Key(key.to_owned()));
            rest = after;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
    }
    found
}

/// Reads a key between quotes, as `escape_debug` writes it; returns it with what follows.
fn quoted_key(text: &str) -> Option<(String, &str)> {
    let mut key = String::new();
    let mut rest = text.chars();
    loop {
        match rest.next()? {
            '"' => return Some((key, rest.as_str().strip_prefix(']')?)),
            '\\' => match rest.next()? {
                'n' => key.push('\n'),
                'r' => key.push('\r'),
                't' => key.push('\t'),
                '0' => key.push('\0'),
                'u' => {
                    let (digits, after) = rest.as_str().strip_prefix('{')?.split_once('}')?;
                    key.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
                    rest = after.chars();
                }
                other => key.push(other),
            },
            other => key.push(other),
        }
    }
}

/// Returns the value at a path.
pub(crate) fn value<'n>(root: &'n Node, path: &str) -> Option<&'n Node> {
    steps(path).iter().try_fold(root, Node::step)
}

/// Returns where the key of a path stands, or the last item or key on the way that is there.
pub(crate) fn key_place(root: &Node, path: &str) -> Option<Span> {
    let mut node = root;
    let mut place = None;
    for step in steps(path) {
        let span = match &step {
            Step::Key(key) => node.field(key).map(|entry| entry.key_span),
            Step::Index(index) => node.item(*index).map(|item| item.span),
        };
        let (Some(span), Some(next)) = (span, node.step(&step)) else {
            break;
        };
        (node, place) = (next, Some(span));
    }
    place
}

/// Returns where the last step of a path stands that the document has: a scalar, else the key of
/// a mapping or list, else an item.
pub(crate) fn find(root: &Node, path: &str) -> Option<Span> {
    let mut node = root;
    let mut place = None;
    for step in steps(path) {
        let next = match step {
            Step::Key(key) => node.field(&key).map(|entry| {
                let is_scalar = entry.value.scalar().is_some() && !entry.value.is_null();
                let span = if is_scalar {
                    entry.value.span
                } else {
                    entry.key_span
                };
                (&entry.value, span)
            }),
            Step::Index(index) => node.item(index).map(|item| (item, item.span)),
        };
        let Some((value, span)) = next else { break };
        (node, place) = (value, Some(span));
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_they_are_written() {
        let path = key_path(&item_path(&key_path("", "hosts"), 2), "a.b");

        assert_eq!(path, "hosts[2][\"a.b\"]");
        assert_eq!(
            steps(&path),
            [
                Step::Key("hosts".to_owned()),
                Step::Index(2),
                Step::Key("a.b".to_owned())
            ]
        );
        assert_eq!(steps("a[x].b"), [Step::Key("a".to_owned())]);
        for key in ["", "a\"]b", "\\", "a\n\u{7}\u{301}é'", "[\"x\"]"] {
            assert_eq!(steps(&key_path("", key)), [Step::Key(key.to_owned())]);
        }
    }
}
