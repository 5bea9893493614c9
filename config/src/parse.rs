//! From text to tree: events of the YAML parser become nodes; aliases and merge keys are resolved,
//! duplicate keys and second documents refused, and the size of the tree is bounded.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use crate::node::{Entry, Kind, Node, Scalar, Style};
use crate::problem::Problem;
use crate::source::{Span, Text};

/// How deep lists and mappings may be nested.
pub(crate) const DEEPEST: usize = 64;
/// How many values a document may have, aliases expanded.
pub(crate) const MOST_NODES: usize = 1_000_000;
/// How many bytes aliases may add.
const MOST_ALIAS_BYTES: usize = 16 << 20;

/// What was read: a tree, and what is wrong with it so far.
pub(crate) struct Parsed {
    /// The tree.
    pub(crate) root: Node,
    /// Duplicate keys and the like.
    pub(crate) problems: Vec<Problem>,
    /// Where values stand that are not in the tree, as they were given twice.
    pub(crate) dropped: Vec<Span>,
}

/// Reads a document.
///
/// # Errors
///
/// Fails with one problem where the rest of the text cannot be understood.
pub(crate) fn parse(text: &Text) -> Result<Parsed, Box<Problem>> {
    let mut builder = Builder {
        parser: Parser::new_from_str(&text.text),
        anchors: BTreeMap::new(),
        nodes: 0,
        alias_bytes: 0,
        problems: Vec::new(),
        dropped: Vec::new(),
    };
    let root = builder
        .document()
        .map_err(|problem| with_braces(problem, text))?;
    Ok(Parsed {
        root,
        problems: builder.problems,
        dropped: builder.dropped,
    })
}

/// A text with `${` ends at its brace where it stands between braces.
fn with_braces(mut problem: Failure, text: &Text) -> Failure {
    if let Some(span) = problem
        .span
        .filter(|_| problem.is_syntax && problem.hint.is_none())
    {
        let line = text.line(text.line_at(span.start)).0;
        if line.contains("${") {
            problem.hint = Some("quote a text with `${…}` in it".to_owned());
        }
    }
    problem
}

type Failure = Box<Problem>;

struct Builder<'t> {
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    anchors: BTreeMap<usize, Anchored>,
    nodes: usize,
    alias_bytes: usize,
    problems: Vec<Problem>,
    dropped: Vec<Span>,
}

/// What an anchor names, with what a copy of it costs.
struct Anchored {
    node: Node,
    nodes: usize,
    height: usize,
    bytes: usize,
}

/// An event with its place.
type Next<'t> = (Event<'t>, Span);

fn span(span: granit_parser::Span) -> Span {
    let start = span.start.byte_offset().unwrap_or(0);
    let end = span.end.byte_offset().unwrap_or(start);
    Span {
        start,
        end: end.max(start),
    }
}

fn fail(span: Span, message: impl Into<String>) -> Failure {
    Box::new(Problem::error(span, message))
}

fn scan_failure(error: &ScanError) -> Failure {
    let start = error.marker().byte_offset().unwrap_or(0);
    let place = Span { start, end: start };
    let text = error.kind().to_string();
    let problem = match error.kind() {
        granit_parser::ErrorKind::UnknownAnchor => {
            Problem::error(place, "there is no anchor of this name before the alias")
                .hint("quote a text that starts with `*`")
        }
        granit_parser::ErrorKind::RecursionLimitExceeded => too_deep(place),
        granit_parser::ErrorKind::UnexpectedCharacter { .. } => {
            Problem::error(place, format!("not valid YAML: {text}"))
                .hint("quote a text that starts with a special character")
        }
        granit_parser::ErrorKind::MappingValueNotAllowed => {
            Problem::error(place, format!("not valid YAML: {text}"))
                .hint("check the indentation, and quote a text that has `: ` in it")
        }
        _ => Problem::error(place, format!("not valid YAML: {text}")),
    };
    Box::new(problem.in_syntax())
}

fn too_deep(place: Span) -> Problem {
    Problem::error(
        place,
        format!("the configuration is nested deeper than {DEEPEST} levels"),
    )
}

impl<'t> Builder<'t> {
    /// Returns the next event that is not a comment; nothing at the end.
    fn next(&mut self) -> Result<Option<Next<'t>>, Failure> {
        loop {
            match self.parser.next() {
                None => return Ok(None),
                Some(Err(error)) => return Err(scan_failure(&error)),
                Some(Ok((Event::StreamStart, _))) => {}
                Some(Ok((Event::Comment(text, _), place))) => {
                    self.problems.extend(to_do(&text, span(place)));
                }
                Some(Ok((event, place))) => return Ok(Some((event, span(place)))),
            }
        }
    }

    fn expect(&mut self) -> Result<Next<'t>, Failure> {
        let end = Span::default();
        self.next()?
            .ok_or_else(|| fail(end, "the configuration ends too early"))
    }

    fn document(&mut self) -> Result<Node, Failure> {
        let empty = || {
            let problem = Problem::error(Span::default(), "the configuration is empty");
            Box::new(problem.hint(format!("start with `apiVersion: {}`", crate::api::CURRENT)))
        };
        let mut root = None;
        while let Some((event, place)) = self.next()? {
            match event {
                Event::DocumentStart(..) if root.is_some() => {
                    let problem =
                        Problem::error(place, "the file holds more than one YAML document");
                    return Err(Box::new(
                        problem.hint("keep one document, without a second `---`"),
                    ));
                }
                Event::DocumentStart(..) => {
                    let first = self.expect()?;
                    root = Some(self.node(first, 1)?);
                }
                _ => {}
            }
        }
        match root {
            Some(root) if !root.is_null() => Ok(root),
            Some(_) | None => Err(empty()),
        }
    }

    fn count(&mut self, nodes: usize, place: Span) -> Result<(), Failure> {
        self.nodes += nodes;
        if self.nodes > MOST_NODES {
            let message =
                format!("the configuration has more than {MOST_NODES} values, aliases expanded");
            return Err(fail(place, message));
        }
        Ok(())
    }

    fn count_bytes(&mut self, bytes: usize, place: Span) -> Result<(), Failure> {
        self.alias_bytes += bytes;
        if self.alias_bytes > MOST_ALIAS_BYTES {
            let limit = MOST_ALIAS_BYTES >> 20;
            let message = format!("the aliases of the configuration expand to over {limit} MiB");
            return Err(fail(place, message));
        }
        Ok(())
    }

    fn node(&mut self, (event, place): Next<'t>, depth: usize) -> Result<Node, Failure> {
        if depth > DEEPEST {
            return Err(Box::new(too_deep(place)));
        }
        self.count(1, place)?;
        let before = self.nodes;
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = self.scalar(&text, style, tag.as_deref(), place);
                let node = Node {
                    span: place,
                    origin: None,
                    kind: Kind::Scalar(scalar),
                };
                (node, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", place);
                (self.list(place, depth)?, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", place);
                (self.map(place, depth)?, anchor)
            }
            Event::Alias(id) => return self.alias(id, place, depth),
            _ => return Err(fail(place, "not valid YAML: a value is missing")),
        };
        if anchor != 0 {
            let anchored = Anchored {
                nodes: self.nodes - before + 1,
                height: height(&node),
                bytes: bytes(&node),
                node: node.clone(),
            };
            // A copy of the anchored value is kept: it counts like any other.
            self.count(anchored.nodes, place)?;
            self.count_bytes(anchored.bytes, place)?;
            self.anchors.insert(anchor, anchored);
        }
        Ok(node)
    }

    fn alias(&mut self, id: usize, place: Span, depth: usize) -> Result<Node, Failure> {
        let Some(found) = self.anchors.get(&id) else {
            return Err(fail(place, "the alias stands inside of what it stands for"));
        };
        let (nodes, height, bytes) = (found.nodes, found.height, found.bytes);
        if depth + height - 1 > DEEPEST {
            return Err(Box::new(too_deep(place)));
        }
        self.count(nodes, place)?;
        self.count_bytes(bytes, place)?;
        let mut node = match self.anchors.get(&id) {
            Some(found) => found.node.clone(),
            None => return Err(fail(place, "the alias stands for nothing")),
        };
        node.origin = Some(node.origin.unwrap_or(node.span));
        node.span = place;
        Ok(node)
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Node, Failure> {
        let mut items = Vec::new();
        loop {
            let next = self.expect()?;
            if let Event::SequenceEnd = next.0 {
                let end = items.last().map_or(start.end, |item: &Node| item.span.end);
                let span = Span {
                    start: start.start,
                    end: end.max(next.1.end.min(end + 1)),
                };
                let kind = Kind::List(items);
                return Ok(Node {
                    span,
                    origin: None,
                    kind,
                });
            }
            items.push(self.node(next, depth + 1)?);
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<Node, Failure> {
        let mut entries = Entries::default();
        let mut merged = Vec::new();
        let mut end = start.end;
        loop {
            let next = self.expect()?;
            if let Event::MappingEnd = next.0 {
                end = end.max(next.1.end.min(end + 1));
                break;
            }
            let is_plain = matches!(next.0, Event::Scalar(_, ScalarStyle::Plain, _, _));
            let key = self.node(next, depth + 1)?;
            let value = self.expect()?;
            let value = self.node(value, depth + 1)?;
            end = end.max(key.span.end).max(value.span.end);
            let Kind::Scalar(scalar) = &key.kind else {
                crate::secret::hide(&key, &mut self.dropped);
                crate::secret::hide(&value, &mut self.dropped);
                let problem = Problem::error(key.span, "a key is a text, not a list or mapping");
                self.problems.push(problem);
                continue;
            };
            let name = scalar.text.clone();
            if is_plain && name == "<<" {
                merged.push((key.span, value));
                continue;
            }
            if entries.has(&name) {
                crate::secret::hide(&value, &mut self.dropped);
            }
            let entry = Entry {
                key: name.clone(),
                key_span: key.span,
                value,
            };
            if let Some(first) = entries.add(entry) {
                self.problems.push(duplicate(key.span, first, &name));
            }
        }
        for (key, value) in merged {
            self.merge(&mut entries, key, value)?;
        }
        Ok(Node {
            span: Span {
                start: start.start,
                end,
            },
            origin: None,
            kind: Kind::Map(entries.list),
        })
    }

    /// Adds the entries of `<<` that the mapping does not have itself.
    fn merge(&mut self, into: &mut Entries, key: Span, value: Node) -> Result<(), Failure> {
        let sources = match value.kind {
            Kind::List(items) => items,
            _ => vec![value],
        };
        for source in sources {
            if source.is_null() {
                continue;
            }
            let Kind::Map(entries) = &source.kind else {
                crate::secret::hide(&source, &mut self.dropped);
                let problem = Problem::error(key, "`<<` takes a mapping, or a list of mappings");
                self.problems.push(problem);
                continue;
            };
            self.count(entries.len(), key)?;
            for entry in entries {
                if into.has(&entry.key) {
                    // What is there already wins.
                    crate::secret::hide(&entry.value, &mut self.dropped);
                } else {
                    into.add(entry.clone());
                }
            }
        }
        Ok(())
    }

    fn check_tag(&mut self, tag: Option<&Tag>, wanted: &str, place: Span) {
        let is_fine = tag.is_none_or(|tag| {
            let name = tag.to_string();
            name == "!" || name.ends_with(&format!(":{wanted}")) || name == format!("!!{wanted}")
        });
        if !is_fine {
            let problem = Problem::error(place, "tags like `!name` are not supported here");
            self.problems.push(problem.hint("remove the tag"));
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, place: Span) -> Scalar {
        let is_empty = style == ScalarStyle::Plain && place.start == place.end;
        let tag = tag.map(ToString::to_string).unwrap_or_default();
        let short = tag.rsplit([':', '!']).next().unwrap_or_default();
        let style = match (style, short) {
            (_, "int" | "bool" | "float" | "null") => Style::Tagged,
            (_, "str") => Style::Quoted,
            (ScalarStyle::Plain, _) if tag != "!" => Style::Plain,
            _ => Style::Quoted,
        };
        let known = ["", "int", "bool", "float", "null", "str", "timestamp"];
        if !known.contains(&short) {
            let problem = Problem::error(place, "tags like `!name` are not supported here");
            let hint = "remove the tag, or quote a text that starts with `!`";
            self.problems.push(problem.hint(hint));
        }
        Scalar {
            // The parser gives `~` for a value that is not there.
            text: if is_empty {
                String::new()
            } else {
                text.to_owned()
            },
            style,
            written: None,
        }
    }
}

/// Returns a warning about a comment that says what is still to be done.
fn to_do(comment: &str, place: Span) -> Option<Problem> {
    let rest = comment.trim_start().strip_prefix("TODO")?;
    let is_word = rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let what = rest.trim_start_matches([':', ' ', '\t']).trim_end();
    let message = if what.is_empty() || crate::secret::is_secret_text(comment) {
        "something is still to be done here".to_owned()
    } else {
        format!("to do: {}", crate::shown::line(what))
    };
    let problem = Problem::warning(place, message);
    (!is_word).then(|| problem.hint("do it, and remove the comment"))
}

/// The entries of a mapping, with an index where they are many.
#[derive(Default)]
struct Entries {
    list: Vec<Entry>,
    index: BTreeMap<String, Span>,
}

impl Entries {
    fn has(&self, key: &str) -> bool {
        self.index.contains_key(key)
    }

    /// Adds an entry; returns where its key stands already, if it does.
    fn add(&mut self, entry: Entry) -> Option<Span> {
        if let Some(first) = self.index.get(&entry.key) {
            return Some(*first);
        }
        self.index.insert(entry.key.clone(), entry.key_span);
        self.list.push(entry);
        None
    }
}

fn duplicate(second: Span, first: Span, key: &str) -> Problem {
    Problem::error(
        second,
        format!("duplicate key {}", crate::shown::quoted(key)),
    )
    .also(first, "it is already set in line")
}

fn height(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::Scalar(_) => 0,
        Kind::List(items) => items.iter().map(height).max().unwrap_or(0),
        Kind::Map(entries) => {
            let heights = entries.iter().map(|entry| height(&entry.value));
            heights.max().unwrap_or(0)
        }
    }
}

fn bytes(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar(scalar) => scalar.text.len(),
        Kind::List(items) => items.iter().map(bytes).sum(),
        Kind::Map(entries) => {
            let each = |entry: &Entry| entry.key.len() + bytes(&entry.value);
            entries.iter().map(each).sum()
        }
    }
}
