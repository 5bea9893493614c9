//! Kubeconfig files as trees: parsed with the place of each value, and written.
//!
//! Only what such files have is understood: one document of mappings, lists and texts. Everything
//! else is refused with its place, as it could not be written again as it was.

use granit_parser::{Event, Parser, ScalarStyle};

use super::KubeconfigError;

/// How deep lists and mappings may be nested.
const DEEPEST: usize = 32;
/// How many values a file may have.
const MOST_NODES: usize = 200_000;

/// A value, with the bytes of the text that it takes.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Clone)]
pub(super) enum Kind {
    Scalar { text: String, is_plain: bool },
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Node {
    /// Makes a value that stands in no text.
    pub(super) fn made(kind: Kind) -> Self {
        let (start, end) = (0, 0);
        Self { start, end, kind }
    }

    /// Makes a text.
    pub(super) fn text(text: &str) -> Self {
        Self::made(Kind::Scalar {
            text: text.to_owned(),
            is_plain: false,
        })
    }

    /// Makes a word that is written without quotes.
    pub(super) fn word(text: &str) -> Self {
        Self::made(Kind::Scalar {
            text: text.to_owned(),
            is_plain: true,
        })
    }

    /// Makes a mapping.
    pub(super) fn map<const N: usize>(entries: [(&str, Node); N]) -> Self {
        let mut map = Self::made(Kind::Map(Vec::new()));
        for (key, value) in entries {
            map.set(key, value);
        }
        map
    }

    /// Returns the text, where it is one that says something.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } if !self.is_null() => Some(text),
            Kind::Scalar { .. } | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// Whether it is left out.
    pub(super) fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Scalar { text, is_plain } => {
                *is_plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            Kind::List(_) | Kind::Map(_) => false,
        }
    }

    /// Returns the value of a key.
    pub(super) fn at(&self, key: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Map(entries) => entries
                .iter()
                .find(|(found, _)| found.name == key)
                .map(|(_, value)| value),
            Kind::Scalar { .. } | Kind::List(_) => None,
        }
    }

    /// Returns the text of a key.
    pub(super) fn text_at(&self, key: &str) -> Option<&str> {
        self.at(key).and_then(Self::as_text)
    }

    /// Sets the value of a key, where it stands or at the end.
    pub(super) fn set(&mut self, key: &str, value: Node) {
        let Kind::Map(entries) = &mut self.kind else {
            return;
        };
        match entries.iter_mut().find(|(found, _)| found.name == key) {
            Some((_, old)) => *old = value,
            None => {
                let name = key.to_owned();
                let (start, end) = (0, 0);
                entries.push((Key { name, start, end }, value));
            }
        }
    }

    /// Whether two values say the same, wherever they stand.
    pub(super) fn is_like(&self, other: &Node) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Scalar { text, .. }, Kind::Scalar { text: theirs, .. }) => {
                text == theirs && self.is_null() == other.is_null()
            }
            (Kind::List(ours), Kind::List(theirs)) => {
                let mut pairs = ours.iter().zip(theirs);
                ours.len() == theirs.len() && pairs.all(|(one, two)| one.is_like(two))
            }
            (Kind::Map(ours), Kind::Map(theirs)) => {
                let mut pairs = ours.iter().zip(theirs);
                ours.len() == theirs.len()
                    && pairs.all(|(one, two)| one.0.name == two.0.name && one.1.is_like(&two.1))
            }
            _ => false,
        }
    }
}

/// Reads a file; nothing where it is empty.
pub(super) fn parse(text: &str) -> Result<Option<Node>, KubeconfigError> {
    let mut reader = Reader {
        text,
        parser: Parser::new_from_str(text),
        nodes: 0,
    };
    let mut root = None;
    while let Some((event, start, end)) = reader.next()? {
        match event {
            Event::DocumentStart(..) if root.is_some() => {
                return Err(reader.wrong(start, "the file has more than one YAML document"));
            }
            Event::DocumentStart(..) => {
                let first = reader.expect()?;
                root = Some(reader.node(first, 1)?);
            }
            Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) => {
                return Err(reader.wrong(end, "not valid YAML"));
            }
            _ => {}
        }
    }
    Ok(root.filter(|root| !root.is_null()))
}

/// An event, and the bytes of the text that it takes.
type Next<'t> = (Event<'t>, usize, usize);

struct Reader<'t> {
    text: &'t str,
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    nodes: usize,
}

impl<'t> Reader<'t> {
    fn wrong(&self, at: usize, what: impl Into<String>) -> KubeconfigError {
        KubeconfigError::at(self.text, at, what)
    }

    fn next(&mut self) -> Result<Option<Next<'t>>, KubeconfigError> {
        loop {
            match self.parser.next() {
                None => return Ok(None),
                Some(Err(error)) => {
                    let at = error.marker().byte_offset().unwrap_or(0);
                    // What the parser found may be a part of a key: only the kind is told.
                    return Err(self.wrong(at, format!("not valid YAML: {}", error.kind())));
                }
                Some(Ok((Event::Comment(..) | Event::StreamStart, _))) => {}
                Some(Ok((event, span))) => {
                    let start = span.start.byte_offset().unwrap_or(0);
                    let end = span.end.byte_offset().unwrap_or(start);
                    return Ok(Some((event, start, end.max(start))));
                }
            }
        }
    }

    fn expect(&mut self) -> Result<Next<'t>, KubeconfigError> {
        let end = self.text.len();
        self.next()?
            .ok_or_else(|| self.wrong(end, "the file ends too early"))
    }

    fn node(&mut self, next: Next<'t>, depth: usize) -> Result<Node, KubeconfigError> {
        let (event, start, end) = next;
        self.nodes += 1;
        if depth > DEEPEST || self.nodes > MOST_NODES {
            return Err(self.wrong(start, "the file is too deep or too large for a kubeconfig"));
        }
        match event {
            Event::Scalar(.., Some(_))
            | Event::SequenceStart(.., Some(_))
            | Event::MappingStart(.., Some(_)) => {
                Err(self.wrong(start, "tags (`!…`) are not understood here"))
            }
            Event::Scalar(text, style, ..) => {
                let is_plain = style == ScalarStyle::Plain;
                let text = text.into_owned();
                let kind = Kind::Scalar { text, is_plain };
                Ok(Node { start, end, kind })
            }
            Event::SequenceStart(..) => self.list(start, end, depth),
            Event::MappingStart(..) => self.map(start, end, depth),
            Event::Alias(_) => Err(self.wrong(start, "aliases (`*…`) are not understood here")),
            _ => Err(self.wrong(start, "not valid YAML: a value is missing")),
        }
    }

    /// The end of what is in brackets is its bracket; that of anything else stands somewhere behind
    /// it.
    fn end(&self, start: usize, last: usize, end: usize) -> usize {
        let is_in_brackets = self.text[start..].starts_with(['[', '{']);
        if is_in_brackets { end } else { last }
    }

    fn list(&mut self, start: usize, end: usize, depth: usize) -> Result<Node, KubeconfigError> {
        let mut items: Vec<Node> = Vec::new();
        loop {
            let next = self.expect()?;
            if let Event::SequenceEnd = next.0 {
                let last = items.last().map_or(end, |item| item.end);
                return Ok(Node {
                    start,
                    end: self.end(start, last, next.2),
                    kind: Kind::List(items),
                });
            }
            items.push(self.node(next, depth + 1)?);
        }
    }

    fn map(&mut self, start: usize, end: usize, depth: usize) -> Result<Node, KubeconfigError> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        loop {
            let next = self.expect()?;
            if let Event::MappingEnd = next.0 {
                let last = entries.last().map_or(end, |(_, value)| value.end);
                return Ok(Node {
                    start: entries
                        .first()
                        .map_or(start, |(key, _)| key.start.min(start)),
                    end: self.end(start, last, next.2),
                    kind: Kind::Map(entries),
                });
            }
            let key = self.node(next, depth + 1)?;
            let (start, end) = (key.start, key.end);
            let Kind::Scalar { text: name, .. } = key.kind else {
                return Err(self.wrong(start, "a key is a text, not a list or mapping"));
            };
            if entries.iter().any(|(found, _)| found.name == name) {
                return Err(self.wrong(start, format!("`{}` is given twice", shown(&name))));
            }
            let value = self.expect()?;
            let mut value = self.node(value, depth + 1)?;
            // What is left out has no place of its own.
            value.start = value.start.max(end);
            value.end = value.end.max(end);
            entries.push((Key { name, start, end }, value));
        }
    }
}

/// Returns as much of a name as fits into a message, without what steers a terminal.
pub(super) fn shown(name: &str) -> String {
    let escaped = name.escape_debug().to_string();
    escaped.chars().take(80).collect()
}

/// Writes a mapping as a document.
pub(super) fn document(root: &Node) -> String {
    let mut text = String::new();
    block(root, 0, &mut text);
    text
}

/// Writes an item of a list: its first line stands behind its dash, the others at `indent`; no
/// line end is behind it.
pub(super) fn item(node: &Node, indent: usize) -> String {
    let mut text = String::new();
    block(node, indent, &mut text);
    text.trim().to_owned()
}

/// Writes what stands on lines of its own.
pub(super) fn block(node: &Node, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match &node.kind {
        Kind::Map(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                out.push_str(&pad);
                out.push_str(&scalar(&key.name, false));
                out.push(':');
                behind(value, indent, out);
            }
        }
        Kind::List(items) if !items.is_empty() => {
            for one in items {
                out.push_str(&pad);
                out.push_str("- ");
                out.push_str(&item(one, indent + 2));
                out.push('\n');
            }
        }
        Kind::Map(_) => out.push_str(&format!("{pad}{{}}\n")),
        Kind::List(_) => out.push_str(&format!("{pad}[]\n")),
        Kind::Scalar { text, is_plain } => {
            out.push_str(&format!("{pad}{}\n", scalar(text, *is_plain)));
        }
    }
}

fn behind(value: &Node, indent: usize, out: &mut String) {
    match &value.kind {
        Kind::Map(entries) if !entries.is_empty() => {
            out.push('\n');
            block(value, indent + 2, out);
        }
        // As `kubectl` writes them: the dashes stand below the key.
        Kind::List(items) if !items.is_empty() => {
            out.push('\n');
            block(value, indent, out);
        }
        Kind::Map(_) => out.push_str(" {}\n"),
        Kind::List(_) => out.push_str(" []\n"),
        Kind::Scalar { text, is_plain } => {
            out.push(' ');
            out.push_str(&scalar(text, *is_plain));
            out.push('\n');
        }
    }
}

/// Writes a scalar on one line; a plain one was read as such.
pub(super) fn scalar(text: &str, is_plain: bool) -> String {
    if (is_plain && !text.contains('\n')) || is_harmless(text) {
        return text.to_owned();
    }
    // A text of JSON is one of YAML. It always has one.
    serde_json::to_string(text).unwrap_or_default()
}

/// Whether every reader takes a text for itself, without quotes.
fn is_harmless(text: &str) -> bool {
    let is_word = |char: char| char.is_ascii_alphanumeric() || "-_./@+=:".contains(char);
    let is_other = matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n"
    );
    text.starts_with(|char: char| char.is_ascii_alphabetic())
        && text.chars().all(is_word)
        && !text.ends_with(':')
        && !is_other
}
