//! Reading a tree: a value with its path, asked for what it is; what it is not becomes a problem.
//!
//! The field decides what a scalar means. A key that nobody asked for is unknown.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::code::Code;
use crate::diagnostic::unknown;
use crate::flags::Flags;
use crate::node::{self, Entry, Kind, Node, Scalar, Style};
use crate::problem::{Problem, Problems};
use crate::scalar;
use crate::schema::Block;
use crate::secret;
use crate::shown::{nearest, one_of, quoted, quoted_path};
use crate::source::Span;
use crate::substitute::without_variables;
use crate::suggest;
use crate::world::{LARGEST_FILE, World, expand};

/// What reading a tree leans on.
pub(crate) struct Context<'a> {
    /// The machine.
    pub(crate) world: &'a dyn World,
    /// What is found to be wrong.
    pub(crate) problems: &'a Problems,
    /// Where secrets stand.
    secrets: HashSet<Span>,
    /// Whether a key that nobody asked for is ignored, as old releases did.
    ignores_unknown: bool,
    /// The paths of keys that nobody asked for.
    unknown: RefCell<Vec<String>>,
}

impl<'a> Context<'a> {
    /// Makes a context.
    pub(crate) fn new(world: &'a dyn World, problems: &'a Problems, secrets: &[Span]) -> Self {
        let secrets = secrets.iter().copied().collect();
        Self {
            world,
            problems,
            secrets,
            ignores_unknown: false,
            unknown: RefCell::default(),
        }
    }

    /// Returns the paths of keys that nobody asked for.
    pub(crate) fn unknown(&self) -> Vec<String> {
        self.unknown.borrow().clone()
    }

    /// Says whether keys that nobody asks for are ignored, with a warning.
    pub(crate) fn ignoring_unknown(mut self, ignores: bool) -> Self {
        self.ignores_unknown = ignores;
        self
    }
}

/// A value that is there, with its path.
#[derive(Clone)]
pub(crate) struct Value<'c> {
    cx: &'c Context<'c>,
    node: &'c Node,
    key: Span,
    path: String,
}

/// A mapping whose keys are asked for one by one. It is read beside its description: a key that is
/// asked for and not described, or described and never asked for, is a bug that every test sees.
pub(crate) struct Fields<'c> {
    block: &'static Block,
    cx: &'c Context<'c>,
    entries: &'c [Entry],
    key: Span,
    path: String,
    asked: Vec<&'static str>,
}

impl<'c> Value<'c> {
    /// Returns the whole document.
    pub(crate) fn root(cx: &'c Context<'c>, node: &'c Node) -> Self {
        let start = node.span.start;
        let key = Span { start, end: start };
        Self {
            cx,
            node,
            key,
            path: String::new(),
        }
    }

    /// Returns the path of the value.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Whether the value is left out.
    pub(crate) fn is_null(&self) -> bool {
        self.node.is_null()
    }

    /// Returns an error about the value, not yet added.
    pub(crate) fn wrong(&self, code: Code, message: impl Into<String>) -> Problem {
        Problem::error(code, self.span(), message).path(&self.path)
    }

    /// Returns what is underlined: a scalar that is there, else the key.
    fn span(&self) -> Span {
        let is_scalar = self.node.scalar().is_some() && self.node.span.start < self.node.span.end;
        if is_scalar { self.node.span } else { self.key }
    }

    /// Adds a problem.
    pub(crate) fn add(&self, problem: Problem) {
        self.cx.problems.add(problem);
    }

    /// Adds an error about the value.
    pub(crate) fn error(&self, code: Code, message: impl Into<String>) {
        self.add(self.wrong(code, message));
    }

    /// Returns an error about the key, not yet added.
    pub(crate) fn wrong_key(&self, code: Code, message: impl Into<String>) -> Problem {
        Problem::error(code, self.key, message).path(&self.path)
    }

    /// Returns a warning about the key.
    pub(crate) fn warning_key(&self, code: Code, message: impl Into<String>) -> Problem {
        Problem::warning(code, self.key, message).path(&self.path)
    }

    /// Returns a warning about the value.
    pub(crate) fn warning(&self, code: Code, message: impl Into<String>) -> Problem {
        Problem::warning(code, self.span(), message).path(&self.path)
    }

    /// Returns the value for a message: as it is written, secrets masked.
    pub(crate) fn shown(&self) -> String {
        let is_secret = self.cx.secrets.contains(&self.node.span);
        match self.node.scalar() {
            Some(_) if is_secret => secret::REDACTED.to_owned(),
            Some(Scalar { text, written, .. }) => quoted(written.as_ref().unwrap_or(text)),
            None => self.node.describe().to_owned(),
        }
    }

    fn expected<T>(&self, code: Code, what: &str) -> Option<T> {
        let found = match self.node.scalar() {
            Some(_) if !self.node.is_null() => self.shown(),
            Some(_) | None => self.node.describe().to_owned(),
        };
        let mut problem = self.wrong(code, format!("expected {what}, found {found}"));
        if let Some(Scalar {
            style: Style::Quoted,
            ..
        }) = self.node.scalar()
            && what != "a mapping"
        {
            problem = problem.hint("remove the quotes of a number or boolean");
        }
        self.add(problem);
        None
    }

    /// Returns the text of a scalar as it is written.
    pub(crate) fn text(&self) -> Option<String> {
        match &self.node.kind {
            Kind::Scalar(_) if self.node.is_null() => self.expected(Code::WrongType, "a text"),
            Kind::Scalar(scalar) => Some(scalar.text.clone()),
            Kind::List(_) | Kind::Map(_) => self.expected(Code::WrongType, "a text"),
        }
    }

    /// Returns a text that no output may show.
    pub(crate) fn secret(&self) -> Option<SecretString> {
        self.text().map(SecretString::from)
    }

    /// Returns a boolean.
    pub(crate) fn boolean(&self) -> Option<bool> {
        let value = self.unquoted().and_then(scalar::boolean);
        value.or_else(|| self.expected(Code::WrongType, "`true` or `false`"))
    }

    /// Returns a whole number between limits.
    pub(crate) fn number<T>(&self, least: T, most: T) -> Option<T>
    where
        T: Copy + Into<i128> + TryFrom<i128>,
    {
        let (low, high) = (least.into(), most.into());
        let number = self
            .unquoted()
            .and_then(scalar::integer)
            .filter(|number| (low..=high).contains(number))
            .and_then(|number| T::try_from(number).ok());
        let what = || format!("a whole number between {low} and {high}");
        number.or_else(|| self.expected(Code::Number, &what()))
    }

    /// Returns a port.
    pub(crate) fn port(&self) -> Option<u16> {
        self.number(1, u16::MAX)
    }

    /// Returns the text of a scalar that may be something else than a text: without quotes, unless
    /// it came from the environment.
    fn unquoted(&self) -> Option<&'c str> {
        let scalar = self.node.scalar()?;
        let is_text = scalar.style == Style::Quoted && scalar.written.is_none();
        (!is_text).then_some(scalar.text.as_str())
    }

    /// Returns one of several words.
    pub(crate) fn one_of<T: Copy>(&self, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let hint = match nearest(&text, &names) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("use {}", one_of(&names)),
        };
        let message = format!("{} is not {what}", self.shown());
        self.add(self.wrong(Code::NotAChoice, message).hint(hint));
        None
    }

    /// Returns a path of this machine, `~` expanded.
    pub(crate) fn local_path(&self) -> Option<PathBuf> {
        let text = self.text()?;
        match expand(&text, self.cx.world) {
            Ok(path) => Some(path),
            Err(why) => {
                self.error(Code::HomeDirectory, why);
                None
            }
        }
    }

    /// Returns the full path of a file for a message; variables of the environment stay names.
    fn full_path(&self) -> String {
        let scalar = self.node.scalar();
        let is_secret = self.cx.secrets.contains(&self.node.span);
        let Some(Scalar { text, written, .. }) = scalar.filter(|_| !is_secret) else {
            return self.shown();
        };
        let text = written.as_ref().unwrap_or(text);
        let path = expand(text, self.cx.world).unwrap_or_else(|_| PathBuf::from(text));
        let full: PathBuf = self
            .cx
            .world
            .current_dir()
            .join(path)
            .components()
            .collect();
        quoted_path(&full.display().to_string())
    }

    /// Warns where others than the user may read a file.
    pub(crate) fn check_private(&self, path: &Path) {
        let full = self.cx.world.current_dir().join(path);
        let Some(mode) = self.cx.world.mode(&full) else {
            return;
        };
        let who = match (mode & 0o007 != 0, mode & 0o070 != 0) {
            (true, _) => "everybody",
            (false, true) => "its group",
            (false, false) => return,
        };
        let shown = self.full_path();
        let message = format!("the private key {shown} is open to {who} on this machine");
        let hint = format!("chmod 600 {}", shown.trim_matches('`'));
        self.add(self.warning(Code::KeyFileMode, message).hint(hint));
    }

    /// Returns what the file itself tells of a text; what variables hold is left out.
    fn literal(&self) -> String {
        let scalar = self.node.scalar();
        scalar.map_or_else(String::new, |scalar| match &scalar.written {
            None => scalar.text.clone(),
            Some(written) => without_variables(written),
        })
    }

    /// Warns of a secret that stands in the file as it is.
    pub(crate) fn check_plain_secret(&self, variable: &str) {
        if self.literal().is_empty() {
            return;
        }
        let scalar = self.node.scalar();
        let how = match scalar.and_then(|scalar| scalar.written.as_ref()) {
            None => "plain text",
            Some(_) => "the default of a variable",
        };
        let message = format!("a password stands in the file as {how}");
        let hint = format!("write `${{{variable}}}`, and set the variable");
        self.add(self.warning(Code::PlainPassword, message).hint(hint));
    }

    /// Returns a path and what the file holds.
    pub(crate) fn file(&self) -> Option<(PathBuf, Vec<u8>)> {
        let path = self.local_path()?;
        let full = self.cx.world.current_dir().join(&path);
        match self.cx.world.read(&full) {
            Ok(content) if content.len() > LARGEST_FILE => {
                let limit = LARGEST_FILE >> 20;
                let message = format!("{} is larger than {limit} MiB", self.full_path());
                let problem = self.wrong(Code::FileTooLarge, message);
                self.add(problem.hint("name another file"));
                None
            }
            Ok(content) => Some((path, content)),
            Err(error) => {
                let why = match error.kind() {
                    std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
                    _ => error.to_string(),
                };
                let message = format!("cannot read {}: {why}", self.full_path());
                let hint = if path.is_relative() {
                    "relative paths start from the directory that launchpad runs in"
                } else {
                    "correct the path, or what you may read"
                };
                self.add(self.wrong(Code::FileUnreadable, message).hint(hint));
                None
            }
        }
    }

    /// Returns a path and the text of the file.
    pub(crate) fn text_file(&self) -> Option<(PathBuf, SecretString)> {
        let (path, content) = self.file()?;
        match String::from_utf8(content) {
            Ok(text) => Some((path, SecretString::from(text))),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let message = format!("{} is not a text (byte {at})", self.full_path());
                let problem = self.wrong(Code::FileNotText, message);
                self.add(problem.hint("name a file in UTF-8, as PEM and TOML are"));
                None
            }
        }
    }

    /// Returns the items of a list.
    pub(crate) fn list(&self) -> Vec<Self> {
        let Kind::List(items) = &self.node.kind else {
            let hint = "write each item behind a `- `";
            let message = format!("expected a list, found {}", self.node.describe());
            self.add(self.wrong(Code::WrongType, message).hint(hint));
            return Vec::new();
        };
        let item = |(index, node): (usize, &'c Node)| Self {
            cx: self.cx,
            node,
            key: node.span,
            path: node::item_path(&self.path, index),
        };
        items.iter().enumerate().map(item).collect()
    }

    /// Returns a list of texts.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.list().iter().filter_map(Self::text).collect()
    }

    /// Returns a list of flags.
    pub(crate) fn flags(&self) -> Flags {
        let mut flags = Flags::default();
        for item in self.list() {
            let Some(text) = item.text() else { continue };
            if let Err(error) = flags.push(&text) {
                let message = format!("{} is no flag: {error}", item.shown());
                item.error(Code::Flag, message);
            }
            let literal = item.literal();
            if secret::is_plain_flag(&literal) {
                let name = literal.trim_start_matches(['-', '"', '\'']);
                let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
                let name = name.get(..end.unwrap_or(name.len())).unwrap_or(name);
                item.check_plain_secret(&name.replace('-', "_").to_uppercase());
            }
        }
        flags
    }

    /// Returns the keys of a mapping, which are those of a block.
    pub(crate) fn fields(&self, block: &'static Block) -> Option<Fields<'c>> {
        Some(Fields {
            block,
            cx: self.cx,
            entries: self.mapping()?,
            key: self.key,
            path: self.path.clone(),
            asked: Vec::new(),
        })
    }

    /// Returns every entry of a mapping with free keys.
    pub(crate) fn entries(&self) -> Vec<(String, Self)> {
        let entries = self.mapping().unwrap_or_default().iter();
        let entry = |entry: &'c Entry| (entry.key.clone(), self.below(entry));
        entries.map(entry).collect()
    }

    fn mapping(&self) -> Option<&'c [Entry]> {
        match &self.node.kind {
            Kind::Map(entries) => Some(entries),
            Kind::Scalar(_) | Kind::List(_) => self.expected(Code::WrongType, "a mapping"),
        }
    }

    /// Returns the value of an entry.
    fn below(&self, entry: &'c Entry) -> Self {
        Self {
            cx: self.cx,
            node: &entry.value,
            key: entry.key_span,
            path: node::key_path(&self.path, &entry.key),
        }
    }

    /// Returns the value as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        json(self.node)
    }

    /// Whether the value is a scalar.
    pub(crate) fn is_scalar(&self) -> bool {
        self.node.scalar().is_some()
    }
}

/// Returns a tree as JSON.
pub(crate) fn json(node: &Node) -> serde_json::Value {
    match &node.kind {
        Kind::Scalar(scalar) => scalar::json(scalar),
        Kind::List(items) => items.iter().map(json).collect(),
        Kind::Map(entries) => {
            let each = |entry: &Entry| (entry.key.clone(), json(&entry.value));
            serde_json::Value::Object(entries.iter().map(each).collect())
        }
    }
}

impl<'c> Fields<'c> {
    fn value(&self, entry: &'c Entry) -> Value<'c> {
        Value {
            cx: self.cx,
            node: &entry.value,
            key: entry.key_span,
            path: node::key_path(&self.path, &entry.key),
        }
    }

    /// Returns the value of a key, null included.
    pub(crate) fn given(&mut self, key: &'static str) -> Option<Value<'c>> {
        debug_assert!(
            self.block.key(key).is_some(),
            "`{key}` is not described in block `{}`",
            self.block.name
        );
        self.asked.push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(self.value(entry))
    }

    /// Returns the value of a key, if it is there and not null.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Value<'c>> {
        self.given(key).filter(|value| !value.is_null())
    }

    /// Returns the value of a key that has to be there.
    pub(crate) fn require(&mut self, key: &'static str, hint: &str) -> Option<Value<'c>> {
        let given = self.given(key);
        if given.as_ref().is_none_or(Value::is_null) {
            self.missing(key, given.map(|value| value.key), hint);
            return None;
        }
        given
    }

    /// Says that a key is missing, or has no value.
    fn missing(&self, key: &str, at: Option<Span>, hint: &str) {
        let path = node::key_path(&self.path, key);
        let (code, what) = match at {
            Some(_) => (Code::EmptyKey, "empty"),
            None => (Code::MissingKey, "missing"),
        };
        let message = format!("`{path}` is {what}");
        let problem = Problem::error(code, at.unwrap_or(self.key), message);
        self.cx.problems.add(problem.path(path).hint(hint));
    }

    /// Returns a text that is there and not empty.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<String> {
        self.take(key)?.text().filter(|text| !text.is_empty())
    }

    /// Returns a text that has to be there, and not be empty.
    pub(crate) fn required_text(&mut self, key: &'static str, hint: &str) -> Option<String> {
        let value = self.require(key, hint)?;
        let text = value.text()?;
        if text.is_empty() {
            self.missing(key, Some(value.key), hint);
            return None;
        }
        Some(text)
    }

    /// Returns a boolean; one that is not there is false.
    pub(crate) fn switch(&mut self, key: &'static str) -> bool {
        self.take(key).and_then(|value| value.boolean()) == Some(true)
    }

    /// Adds an error about the mapping itself.
    pub(crate) fn error(&self, code: Code, message: impl Into<String>, hint: &str) {
        let problem = Problem::error(code, self.key, message).path(&self.path);
        self.cx.problems.add(problem.hint(hint));
    }

    /// Says which keys the block does not have.
    pub(crate) fn finish(self) {
        let missed = self.block.keys.iter().map(|key| key.name);
        let missed: Vec<&str> = missed.filter(|name| !self.asked.contains(name)).collect();
        debug_assert!(
            missed.is_empty(),
            "nobody reads {missed:?} of block `{}`",
            self.block.name
        );
        for entry in self.entries {
            if self.block.key(&entry.key).is_some() {
                continue;
            }
            let former = suggest::former(self.block, &entry.key);
            if former.is_none() {
                // Nothing is known of what stands there: it may be a secret under a misspelt name.
                self.cx.problems.hide_all(&entry.value);
            }
            let path = node::key_path(&self.path, &entry.key);
            self.cx.unknown.borrow_mut().push(path.clone());
            let code = match former {
                _ if self.cx.ignores_unknown => Code::IgnoredKey,
                Some(_) => Code::OlderKey,
                None => Code::UnknownKey,
            };
            self.cx.problems.add_with(code.severity(), || {
                let mut message = unknown("key", &entry.key);
                if self.cx.ignores_unknown {
                    message += ": it is ignored, as it always was";
                }
                Problem {
                    severity: code.severity(),
                    hint: suggest::hint(self.block, &self.path, &entry.key),
                    ..Problem::error(code, entry.key_span, message).path(path)
                }
            });
        }
    }
}
