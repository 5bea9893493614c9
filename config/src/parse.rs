//! From text to tree: events of the YAML parser become nodes; aliases and merge keys are resolved,
//! duplicate keys refused, and the size of the tree is bounded. Of several documents the first one
//! is read.

use std::collections::{BTreeMap, HashMap};

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Tag};

use crate::code::Code;
use crate::documents;
use crate::node::{Entry, Kind, Node, Scalar, Style};
use crate::problem::Problem;
use crate::shown::quoted;
use crate::source::{Span, Text};

/// How deep lists and mappings may be nested.
pub(crate) const DEEPEST: usize = 64;
/// How many values a document may have, aliases expanded.
pub(crate) const MOST_NODES: usize = 60_000;
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
pub(crate) fn parse(text: &Text, duplicates: Duplicates) -> Result<Parsed, Box<Problem>> {
    let first = documents::first(&text.text);
    let mut builder = Builder {
        duplicates,
        parser: Parser::new_from_str(text.text.get(..first.end).unwrap_or_default()),
        anchors: BTreeMap::new(),
        nodes: 0,
        alias_bytes: 0,
        problems: Vec::new(),
        dropped: Vec::new(),
    };
    let root = builder
        .document()
        .map_err(|problem| explained(problem, text))?;
    if let Some(start) = first.next {
        builder.problems.push(second_document(text, start));
    }
    Ok(Parsed {
        root,
        problems: builder.problems,
        dropped: builder.dropped,
    })
}

/// Says that only the first document is read.
fn second_document(text: &Text, start: usize) -> Problem {
    let line = text.line(text.line_at(start)).0;
    let span = Span {
        start,
        end: start + line.len(),
    };
    let message = "another YAML document begins here, which is not read";
    let problem = Problem::warning(Code::SecondDocument, span, message);
    problem.hint("keep one document in a file")
}

/// Adds what the lines tell of a text that is not valid YAML.
fn explained(mut problem: Failure, text: &Text) -> Failure {
    let Some(span) = problem.span.filter(|_| problem.is_syntax) else {
        return problem;
    };
    let line = text.line_at(span.start);
    let is_flow = text.text.trim_start().starts_with(['{', '[']);
    // Some mistakes come out on another line; between brackets tabs are white space as any other.
    let lines = match problem.code {
        Code::TabIndent => vec![line, line + 1, line.saturating_sub(1)],
        Code::Syntax if !is_flow => vec![line, line.saturating_sub(1)],
        _ => Vec::new(),
    };
    if let Some(tab) = lines.into_iter().find_map(|line| tab_indent(text, line)) {
        return Box::new(tabs_cannot_indent(tab).in_syntax());
    }
    // A text with `${` ends at its brace where it stands between braces.
    if problem.hint.is_none() && text.line(line).0.contains("${") {
        problem.hint = Some("quote a text with `${…}` in it".to_owned());
    }
    problem
}

fn tabs_cannot_indent(place: Span) -> Problem {
    Problem::error(Code::TabIndent, place, "tabs cannot indent").hint("use spaces")
}

/// Returns the first tab in what a line is indented with.
fn tab_indent(text: &Text, line: usize) -> Option<Span> {
    let (content, start) = text.line(line);
    let indent = content.len() - content.trim_start_matches([' ', '\t']).len();
    let tab = content.get(..indent)?.find('\t')?;
    // Behind white space nothing has to be indented.
    (indent < content.len()).then_some(Span {
        start: start + tab,
        end: start + tab + 1,
    })
}

type Failure = Box<Problem>;

/// What several entries of a mapping with the same key are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duplicates {
    /// A mistake.
    Refused,
    /// What they were before mke/v1.6: the last one counts.
    LastCounts,
}

struct Builder<'t> {
    duplicates: Duplicates,
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

fn fail(code: Code, span: Span, message: impl Into<String>) -> Failure {
    Box::new(Problem::error(code, span, message))
}

fn scan_failure(error: &ScanError) -> Failure {
    let start = error.marker().byte_offset().unwrap_or(0);
    let place = Span { start, end: start };
    let invalid = || {
        let message = format!("not valid YAML: {}", error.kind());
        Problem::error(Code::Syntax, place, message)
    };
    let problem = match error.kind() {
        ErrorKind::UnknownAnchor => {
            let message = "there is no anchor of this name before the alias";
            Problem::error(Code::UnknownAnchor, place, message)
                .hint("quote a text that starts with `*`")
        }
        ErrorKind::RecursionLimitExceeded => too_deep(place),
        ErrorKind::UnexpectedCharacter { .. } => {
            invalid().hint("quote a text that starts with a special character")
        }
        ErrorKind::MappingValueNotAllowed => {
            invalid().hint("check the indentation, and quote a text that has `: ` in it")
        }
        kind if kind.to_string().contains(" tab") => tabs_cannot_indent(place),
        _ => invalid(),
    };
    Box::new(problem.in_syntax())
}

fn too_deep(place: Span) -> Problem {
    Problem::error(
        Code::TooDeep,
        place,
        format!("the configuration is nested deeper than {DEEPEST} levels"),
    )
}

/// Returns a warning where a comment says that there is something left to do.
fn todo(comment: &str, place: Span) -> Option<Problem> {
    let text = comment.trim_start_matches(['#', ' ', '\t']);
    let rest = text.strip_prefix("TODO")?;
    let is_word = rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let what = rest.trim_start_matches([':', ' ', '\t']).trim_end();
    let message = if what.is_empty() || crate::secret::is_secret_text(comment) {
        "something is still to be done here".to_owned()
    } else {
        format!("to do: {}", crate::shown::line(what))
    };
    let problem = Problem::warning(Code::Todo, place, message);
    (!is_word).then(|| problem.hint("do it, and remove the comment"))
}

impl<'t> Builder<'t> {
    /// Returns the next event that is not a comment; nothing at the end.
    fn next(&mut self) -> Result<Option<Next<'t>>, Failure> {
        loop {
            match self.parser.next() {
                None => return Ok(None),
                Some(Err(error)) => return Err(scan_failure(&error)),
                Some(Ok((Event::Comment(text, ..), place))) => {
                    self.problems.extend(todo(&text, span(place)));
                }
                Some(Ok((Event::StreamStart, _))) => {}
                Some(Ok((event, place))) => return Ok(Some((event, span(place)))),
            }
        }
    }

    fn expect(&mut self) -> Result<Next<'t>, Failure> {
        let end = Span::default();
        self.next()?
            .ok_or_else(|| fail(Code::Syntax, end, "the configuration ends too early"))
    }

    fn document(&mut self) -> Result<Node, Failure> {
        let mut root = None;
        while let Some((event, _)) = self.next()? {
            if let Event::DocumentStart(..) = event {
                let first = self.expect()?;
                root = Some(self.node(first, 1)?);
            }
        }
        root.filter(|root| !root.is_null()).ok_or_else(|| {
            let message = "the configuration is empty";
            let problem = Problem::error(Code::Empty, Span::default(), message);
            Box::new(problem.hint(format!("start with `apiVersion: {}`", crate::api::CURRENT)))
        })
    }

    fn count(&mut self, nodes: usize, place: Span) -> Result<(), Failure> {
        self.nodes += nodes;
        if self.nodes > MOST_NODES {
            let message =
                format!("the configuration has more than {MOST_NODES} values, aliases expanded");
            return Err(fail(Code::TooManyValues, place, message));
        }
        Ok(())
    }

    fn count_bytes(&mut self, bytes: usize, place: Span) -> Result<(), Failure> {
        self.alias_bytes += bytes;
        if self.alias_bytes > MOST_ALIAS_BYTES {
            let limit = MOST_ALIAS_BYTES >> 20;
            let message = format!("the aliases of the configuration expand to over {limit} MiB");
            return Err(fail(Code::AliasesTooLarge, place, message));
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
            _ => {
                let message = "not valid YAML: a value is missing";
                return Err(fail(Code::Syntax, place, message));
            }
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
        let missing = || {
            let message = "the alias stands inside of what it stands for";
            fail(Code::AliasInItself, place, message)
        };
        let found = self.anchors.get(&id).ok_or_else(missing)?;
        let (nodes, height, bytes) = (found.nodes, found.height, found.bytes);
        if depth + height - 1 > DEEPEST {
            return Err(Box::new(too_deep(place)));
        }
        self.count(nodes, place)?;
        self.count_bytes(bytes, place)?;
        let mut node = self.anchors.get(&id).ok_or_else(missing)?.node.clone();
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
                let message = "a key is a text, not a list or mapping";
                let problem = Problem::error(Code::KeyNotText, key.span, message);
                let hint = "quote a text that starts with `{` or `[`";
                self.problems.push(problem.hint(hint));
                continue;
            };
            let name = scalar.text.clone();
            if is_plain && name == "<<" {
                merged.push((key.span, value));
                continue;
            }
            let last_counts = self.duplicates == Duplicates::LastCounts;
            if let Some(first) = entries.get(&name) {
                let dropped = if last_counts { &first.value } else { &value };
                crate::secret::hide(dropped, &mut self.dropped);
            }
            let entry = Entry {
                key: name.clone(),
                key_span: key.span,
                value,
            };
            if last_counts {
                if let Some(first) = entries.replace(entry) {
                    let message = format!("{} is set twice: the last one counts", quoted(&name));
                    let problem = Problem::warning(Code::LastKeyCounts, key.span, message);
                    self.problems
                        .push(problem.also(first, "it is already set in line"));
                }
            } else if let Some(first) = entries.add(entry) {
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
            kind: Kind::Map(entries.into_list()),
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
                let message = "`<<` takes a mapping, or a list of mappings";
                let problem = Problem::error(Code::MergeKey, key, message);
                self.problems.push(problem);
                continue;
            };
            self.count(entries.len(), key)?;
            for entry in entries {
                if into.get(&entry.key).is_some() {
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
            let message = "tags like `!name` are not supported here";
            let problem = Problem::error(Code::Tag, place, message);
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
            let message = "tags like `!name` are not supported here";
            let problem = Problem::error(Code::Tag, place, message);
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

/// The entries of a mapping while it is read: in order, with an index of their keys.
#[derive(Default)]
struct Entries {
    /// Nothing where an entry was replaced by a later one.
    list: Vec<Option<Entry>>,
    index: HashMap<String, usize>,
}

impl Entries {
    fn get(&self, key: &str) -> Option<&Entry> {
        self.list.get(*self.index.get(key)?)?.as_ref()
    }

    /// Adds an entry in the place of one with its key; returns where that stood.
    fn replace(&mut self, entry: Entry) -> Option<Span> {
        let before = self.index.insert(entry.key.clone(), self.list.len());
        self.list.push(Some(entry));
        let replaced = self.list.get_mut(before?)?.take();
        replaced.map(|entry| entry.key_span)
    }

    /// Adds an entry; returns where its key stands already, if it does.
    fn add(&mut self, entry: Entry) -> Option<Span> {
        if let Some(first) = self.get(&entry.key) {
            return Some(first.key_span);
        }
        self.replace(entry)
    }

    fn into_list(self) -> Vec<Entry> {
        self.list.into_iter().flatten().collect()
    }
}

fn duplicate(second: Span, first: Span, key: &str) -> Problem {
    Problem::error(
        Code::DuplicateKey,
        second,
        format!("duplicate key {}", quoted(key)),
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
