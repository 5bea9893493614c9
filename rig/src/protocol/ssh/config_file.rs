//! The text of ssh_config files: lines, quotes, blocks and includes.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::pattern;
use crate::connection::ConnectError;

/// How deep files may include each other.
const DEPTH: usize = 16;

/// A file that was read.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) items: Vec<Item>,
}

/// One line that counts.
#[derive(Debug)]
pub(super) enum Item {
    /// A block begins.
    Block(Condition),
    /// Other files stand here.
    Include(Vec<Document>),
    /// A value.
    Set(Setting),
}

/// When a block applies.
#[derive(Debug)]
pub(super) enum Condition {
    Host(Vec<String>),
    Match(Vec<Criterion>),
}

/// One criterion of a `Match`.
#[derive(Debug)]
pub(super) struct Criterion {
    /// In lower case.
    pub(super) name: String,
    pub(super) negated: bool,
    pub(super) patterns: String,
}

/// A keyword with its values.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) key: Key,
    /// The keyword, in lower case.
    pub(super) keyword: String,
    pub(super) words: Vec<String>,
    pub(super) place: Place,
}

/// Where something stands.
#[derive(Debug, Clone)]
pub(super) struct Place {
    path: Arc<Path>,
    line: usize,
}

impl Place {
    pub(super) fn error(&self, reason: String) -> ConnectError {
        ConnectError::SshConfig {
            path: self.path.to_path_buf(),
            line: self.line,
            reason,
        }
    }
}

/// The keywords that are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    HostName,
    User,
    Port,
    IdentityFile,
    IdentitiesOnly,
    IdentityAgent,
    UserKnownHostsFile,
    GlobalKnownHostsFile,
    StrictHostKeyChecking,
    HashKnownHosts,
    HostKeyAlias,
    /// ProxyJump or ProxyCommand: the first of either rules out the other.
    Proxy,
}

impl Key {
    fn parse(keyword: &str) -> Option<Self> {
        Some(match keyword {
            "hostname" => Self::HostName,
            "user" => Self::User,
            "port" => Self::Port,
            "identityfile" => Self::IdentityFile,
            "identitiesonly" => Self::IdentitiesOnly,
            "identityagent" => Self::IdentityAgent,
            "userknownhostsfile" => Self::UserKnownHostsFile,
            "globalknownhostsfile" => Self::GlobalKnownHostsFile,
            "stricthostkeychecking" => Self::StrictHostKeyChecking,
            "hashknownhosts" => Self::HashKnownHosts,
            "hostkeyalias" => Self::HostKeyAlias,
            "proxyjump" | "proxycommand" => Self::Proxy,
            _ => return None,
        })
    }

    /// Says what is wrong with the words, if anything is.
    fn fault(self, words: &[String]) -> Option<String> {
        let Some(first) = words.first() else {
            return Some("the value is missing".to_owned());
        };
        let is_one_of = |known: &[&str]| known.iter().any(|word| first.eq_ignore_ascii_case(word));
        match self {
            Self::Port if first.parse::<u16>().is_ok_and(|port| port > 0) => None,
            Self::Port => Some(format!("`{first}` is not a port")),
            Self::IdentitiesOnly | Self::HashKnownHosts
                if !is_one_of(&["yes", "no", "true", "false"]) =>
            {
                Some(format!("`{first}` is neither yes nor no"))
            }
            Self::StrictHostKeyChecking
                if !is_one_of(&["yes", "true", "no", "false", "off", "ask", "accept-new"]) =>
            {
                Some(format!("`{first}` is not a value of StrictHostKeyChecking"))
            }
            _ => None,
        }
    }
}

/// Reads files.
pub(super) struct Reader<'a> {
    home: &'a Path,
}

impl<'a> Reader<'a> {
    pub(super) fn new(home: &'a Path) -> Self {
        Self { home }
    }

    /// Reads a file and what it includes; a file that is not there is empty.
    pub(super) fn read(&self, path: &Path) -> Result<Document, ConnectError> {
        let base = path.parent().unwrap_or(Path::new("/"));
        self.read_at(path, base, 0)
    }

    fn read_at(&self, path: &Path, base: &Path, depth: usize) -> Result<Document, ConnectError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Document::default());
            }
            Err(source) => {
                return Err(ConnectError::File {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let shared: Arc<Path> = path.into();
        let mut document = Document::default();
        for (index, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
            let place = Place {
                path: Arc::clone(&shared),
                line: index + 1,
            };
            if let Some(item) = self.item(line, place, base, depth)? {
                document.items.push(item);
            }
        }
        Ok(document)
    }

    fn item(
        &self,
        line: &str,
        place: Place,
        base: &Path,
        depth: usize,
    ) -> Result<Option<Item>, ConnectError> {
        let Some((keyword, rest)) = split_keyword(line) else {
            return Ok(None);
        };
        let keyword = keyword.to_ascii_lowercase();
        let is_block = matches!(keyword.as_str(), "host" | "match" | "include");
        let key = Key::parse(&keyword);
        if key.is_none() && !is_block {
            return Ok(None);
        }
        let words = if keyword == "proxycommand" {
            // The rest of the line is one command.
            rest.split_whitespace().map(str::to_owned).collect()
        } else {
            words(rest).map_err(|reason| place.error(reason))?
        };
        if let Some(key) = key {
            if let Some(fault) = key.fault(&words) {
                return Err(place.error(fault));
            }
            return Ok(Some(Item::Set(Setting {
                key,
                keyword,
                words,
                place,
            })));
        }
        if words.is_empty() {
            return Err(place.error(format!("`{keyword}` needs a value")));
        }
        Ok(Some(match keyword.as_str() {
            "host" => Item::Block(Condition::Host(words)),
            "match" => Item::Block(Condition::Match(criteria(words, &place)?)),
            _ => self.include(&words, &place, base, depth)?,
        }))
    }

    fn include(
        &self,
        words: &[String],
        place: &Place,
        base: &Path,
        depth: usize,
    ) -> Result<Item, ConnectError> {
        if depth >= DEPTH {
            return Err(place.error(format!("Include goes deeper than {DEPTH} files")));
        }
        let mut documents = Vec::new();
        for word in words {
            let path = match word.strip_prefix("~/") {
                Some(rest) => self.home.join(rest),
                None => base.join(word),
            };
            for path in glob(&path) {
                documents.push(self.read_at(&path, base, depth + 1)?);
            }
        }
        Ok(Item::Include(documents))
    }
}

/// Splits a line into its keyword and the rest; nothing where it is empty or a comment.
fn split_keyword(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line
        .find(|character: char| character.is_whitespace() || character == '=')
        .unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    let rest = rest.trim_start();
    Some((keyword, rest.strip_prefix('=').unwrap_or(rest).trim_start()))
}

/// Splits values into words: quotes hold them together, `#` ends the line.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut characters = text.chars().peekable();
    loop {
        while characters.next_if(|next| next.is_whitespace()).is_some() {}
        match characters.peek() {
            None | Some('#') => return Ok(words),
            Some(_) => {}
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(character) = characters.next() {
            match (character, quote) {
                ('\\', _) => match characters.next_if(|next| matches!(next, '"' | '\'' | '\\')) {
                    Some(escaped) => word.push(escaped),
                    None => word.push('\\'),
                },
                (character, Some(open)) if character == open => quote = None,
                ('"' | '\'', None) => quote = Some(character),
                (character, None) if character.is_whitespace() => break,
                (character, _) => word.push(character),
            }
        }
        if quote.is_some() {
            return Err("a quote is not closed".to_owned());
        }
        words.push(word);
    }
}

fn criteria(words: Vec<String>, place: &Place) -> Result<Vec<Criterion>, ConnectError> {
    let mut criteria = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let lower = word.to_ascii_lowercase();
        let (negated, name) = match lower.strip_prefix('!') {
            Some(name) => (true, name),
            None => (false, lower.as_str()),
        };
        let (name, patterns) = match name.split_once('=') {
            // The pattern keeps its case.
            Some((name, value)) => (name, Some(word[word.len() - value.len()..].to_owned())),
            None => (name, None),
        };
        let takes_none = matches!(name, "all" | "final" | "canonical");
        let patterns = match patterns {
            Some(patterns) => patterns,
            None if takes_none => String::new(),
            None => words
                .next()
                .ok_or_else(|| place.error(format!("`Match {name}` needs a value")))?,
        };
        criteria.push(Criterion {
            name: name.to_owned(),
            negated,
            patterns,
        });
    }
    Ok(criteria)
}

/// Returns the files that a path with `*` and `?` stands for, sorted.
fn glob(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in path.components() {
        let text = component.as_os_str().to_string_lossy();
        let is_plain = !matches!(component, Component::Normal(_)) || !text.contains(['*', '?']);
        if is_plain {
            for path in &mut found {
                path.push(component);
            }
            continue;
        }
        found = found
            .iter()
            .flat_map(|directory| entries(directory, &text))
            .collect();
    }
    found
}

fn entries(directory: &Path, wanted: &str) -> Vec<PathBuf> {
    // A directory that is not there, or not ours to read, holds nothing for us.
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name())
        .filter(|name| {
            let name = name.to_string_lossy();
            let hidden = name.starts_with('.') && !wanted.starts_with('.');
            !hidden && pattern::matches(wanted, &name)
        })
        .collect();
    names.sort();
    names.into_iter().map(|name| directory.join(name)).collect()
}
