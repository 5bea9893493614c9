//! The text of ssh_config files: lines, blocks and includes.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use super::glob::glob;
use super::key::{self, Form, Key};
use super::tokens;
use super::words::{criteria_words, split_keyword, words};
use super::world::World;
use crate::connection::ConnectError;

/// How deep files may include each other.
const DEPTH: usize = 16;
/// Where the files of the machine are.
const SYSTEM: &str = "/etc/ssh";

/// A file that was read.
#[derive(Debug, Default)]
pub(in super::super) struct Document {
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
    pub(super) is_negated: bool,
    /// Patterns, or a command.
    pub(super) value: String,
    pub(super) place: Place,
}

/// A keyword with its values.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) key: Key,
    pub(super) words: Vec<String>,
    pub(super) place: Place,
}

impl Setting {
    /// Returns whether the value is `none`.
    pub(super) fn is_none(&self) -> bool {
        let mut words = self.words.iter();
        words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("none"))
    }
}

/// Where something stands.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) path: Arc<Path>,
    pub(super) line: usize,
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

/// Reads files.
pub(in super::super) struct Reader<'a> {
    pub(in super::super) home: &'a Path,
    pub(in super::super) world: &'a dyn World,
}

/// Where a file stands among those that include it.
struct Position<'a> {
    /// Where relative paths begin.
    base: &'a Path,
    depth: usize,
}

impl Reader<'_> {
    /// Reads a file and what it includes; a file that is not there is empty.
    pub(in super::super) fn read(&self, path: &Path) -> Result<Document, ConnectError> {
        let own = self.home.join(".ssh");
        let base = if path.starts_with(SYSTEM) {
            Path::new(SYSTEM)
        } else {
            &own
        };
        let position = Position { base, depth: 0 };
        Ok(self.read_at(path, &position)?.unwrap_or_default())
    }

    fn read_at(
        &self,
        path: &Path,
        position: &Position<'_>,
    ) -> Result<Option<Document>, ConnectError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(ConnectError::File {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let shared: Arc<Path> = path.into();
        let place = |line| Place {
            path: Arc::clone(&shared),
            line,
        };
        if let Some(fault) = self.write_fault(path) {
            return Err(place(1).error(fault));
        }
        let mut document = Document::default();
        for (index, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
            if let Some(item) = self.item(line, place(index + 1), position)? {
                document.items.push(item);
            }
        }
        Ok(Some(document))
    }

    /// Says who else may write a file: it can name programs to run.
    fn write_fault(&self, path: &Path) -> Option<String> {
        let metadata = std::fs::metadata(path).ok().filter(|it| it.is_file())?;
        if metadata.mode() & 0o022 != 0 {
            return Some(format!(
                "others may write this file; `chmod go-w {}` mends that",
                path.display()
            ));
        }
        let us = std::fs::metadata(self.home).map(|home| home.uid());
        let is_ours = metadata.uid() == 0 || us.is_ok_and(|us| us == metadata.uid());
        (!is_ours).then(|| "this file belongs to another user".to_owned())
    }

    fn item(
        &self,
        line: &str,
        place: Place,
        position: &Position<'_>,
    ) -> Result<Option<Item>, ConnectError> {
        let Some((keyword, rest)) = split_keyword(line) else {
            return Ok(None);
        };
        let keyword = keyword.to_ascii_lowercase();
        let fault = |reason| place.error(reason);
        if let Some((key, form)) = key::find(&keyword) {
            let words = values(form, rest).map_err(fault)?;
            if let Some(reason) = form.fault(&keyword, &words) {
                return Err(fault(reason));
            }
            return Ok(Some(Item::Set(Setting { key, words, place })));
        }
        if !matches!(keyword.as_str(), "host" | "match" | "include") {
            return Ok(None);
        }
        if rest.is_empty() {
            return Err(fault(format!("`{keyword}` needs a value")));
        }
        let words = words(rest).map_err(fault)?;
        if keyword == "match" {
            let criteria = criteria(criteria_words(rest).map_err(fault)?, &place)?;
            return Ok(Some(Item::Block(Condition::Match(criteria))));
        }
        if words.iter().any(String::is_empty) {
            return Err(fault("one of the values is empty".to_owned()));
        }
        Ok(Some(match keyword.as_str() {
            "host" => Item::Block(Condition::Host(words)),
            _ => self.include(&words, &place, position)?,
        }))
    }

    fn include(
        &self,
        words: &[String],
        place: &Place,
        position: &Position<'_>,
    ) -> Result<Item, ConnectError> {
        if position.depth >= DEPTH {
            return Err(place.error(format!("Include goes deeper than {DEPTH} files")));
        }
        let inner = Position {
            base: position.base,
            depth: position.depth + 1,
        };
        let mut documents = Vec::new();
        for word in words {
            let word = tokens::variables(word, self.world).map_err(|why| place.error(why))?;
            if word.starts_with('~') && position.base == Path::new(SYSTEM) {
                let reason = "`~` has no meaning in the files of the machine".to_owned();
                return Err(place.error(reason));
            }
            let path = tokens::tilde(&word, self.home, self.world)
                .map_err(|reason| place.error(reason))?;
            for path in glob(&position.base.join(path)) {
                documents.extend(self.read_at(&path, &inner)?);
            }
        }
        Ok(Item::Include(documents))
    }
}

/// Takes the value of a line apart.
fn values(form: Form, rest: &str) -> Result<Vec<String>, String> {
    let words = words(rest)?;
    Ok(match form {
        // The shell takes the quotes away.
        Form::Command if words.is_empty() => Vec::new(),
        Form::Command => vec![rest.to_owned()],
        Form::Jumps => {
            let text = rest.split('#').next().unwrap_or_default().trim_end();
            vec![text.trim_matches('"').to_owned()]
        }
        _ => words,
    })
}

fn criteria(words: Vec<String>, place: &Place) -> Result<Vec<Criterion>, ConnectError> {
    let mut criteria: Vec<Criterion> = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let name = word.to_ascii_lowercase();
        let (is_negated, name) = match name.strip_prefix('!') {
            Some(name) => (true, name),
            None => (false, name.as_str()),
        };
        let value = match name {
            "all" => {
                if criteria.len() > 1 || words.len() > 0 {
                    let reason =
                        "`all` stands alone, or last after `canonical` or `final`".to_owned();
                    return Err(place.error(reason));
                }
                String::new()
            }
            "final" | "canonical" => String::new(),
            name => words
                .next()
                .filter(|value| !value.is_empty())
                .ok_or_else(|| place.error(format!("`Match {name}` needs a value")))?,
        };
        criteria.push(Criterion {
            name: name.to_owned(),
            is_negated,
            value,
            place: place.clone(),
        });
    }
    if criteria.is_empty() {
        return Err(place.error("`match` needs a criterion".to_owned()));
    }
    Ok(criteria)
}
