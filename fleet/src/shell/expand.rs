//! Expansions: from words to fields.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::files::{Credentials, Files, Follow};

use super::arithmetic::{self, Variables};
use super::parse::Dialect;
use super::pattern::Pattern;
use super::tree::{Command, Name, Operation, Parameter, Part, Word};
use super::{Shell, SplitMode};

/// Something failed; a shell that does not talk to a person ends.
#[derive(Debug)]
pub(super) struct Fault {
    /// What is printed on standard error.
    pub(super) text: String,
    /// The exit status.
    pub(super) status: u8,
}

/// A field that grows.
#[derive(Debug, Default)]
struct Field {
    text: String,
    /// The same as a pattern: what is quoted is behind backslashes.
    pattern: String,
    has_glob: bool,
}

/// The last thing that separated fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    None,
    Blank,
    Hard,
}

/// Fields that grow.
pub(super) struct Fields {
    done: Vec<Field>,
    current: Option<Field>,
    separator: Separator,
    mode: SplitMode,
    separators: String,
}

impl Fields {
    fn new(mode: SplitMode, separators: String) -> Self {
        Self {
            done: Vec::new(),
            current: None,
            separator: Separator::None,
            mode,
            separators,
        }
    }

    fn quoted(&mut self, text: &str) {
        self.separator = Separator::None;
        let field = self.current.get_or_insert_default();
        field.text.push_str(text);
        let mut rest = text;
        while let Some(at) = rest.find(['*', '?', '[', ']', '\\', '-', '!', '^']) {
            let (plain, special) = rest.split_at(at);
            field.pattern.push_str(plain);
            field.pattern.push('\\');
            field.pattern.push_str(&special[..1]);
            rest = &special[1..];
        }
        field.pattern.push_str(rest);
    }

    fn plain_character(&mut self, one: char) {
        self.separator = Separator::None;
        let field = self.current.get_or_insert_default();
        field.has_glob |= matches!(one, '*' | '?' | '[');
        field.text.push(one);
        field.pattern.push(one);
    }

    fn plain(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.separator = Separator::None;
        let field = self.current.get_or_insert_default();
        field.has_glob |= text.contains(['*', '?', '[']);
        field.text.push_str(text);
        field.pattern.push_str(text);
    }

    /// Adds what an expansion in no quotes gave.
    fn expanded(&mut self, text: &str) {
        if self.mode == SplitMode::Never {
            self.plain(text);
            return;
        }
        for one in text.chars() {
            if !self.separators.contains(one) {
                self.plain_character(one);
            } else if matches!(one, ' ' | '\t' | '\n') {
                if self.finish() {
                    self.separator = Separator::Blank;
                }
            } else if self.finish() || self.separator == Separator::Blank {
                self.separator = Separator::Hard;
            } else {
                self.done.push(Field::default());
                self.separator = Separator::Hard;
            }
        }
    }

    /// Ends the current field; returns whether there was one.
    fn finish(&mut self) -> bool {
        let found = self.current.take();
        let is_one = found.is_some();
        self.done.extend(found);
        is_one
    }

    fn add(&mut self, text: &str, is_quoted: bool) {
        match is_quoted {
            true => self.quoted(text),
            false => self.expanded(text),
        }
    }
}

/// The value of a parameter.
enum Value {
    Unset,
    One(String),
    Many(Vec<String>),
}

impl Shell {
    /// Expands words to fields.
    pub(super) async fn expand_fields(&mut self, words: &[Word]) -> Result<Vec<String>, Fault> {
        let mut all = Vec::with_capacity(words.len());
        for word in words {
            if let [Part::Text(text)] = word.parts.as_slice()
                && !text.contains(['*', '?', '[', '{'])
            {
                all.push(text.clone());
                continue;
            }
            if let [Part::Quoted(text)] = word.parts.as_slice() {
                all.push(text.clone());
                continue;
            }
            let mut fields = Fields::new(SplitMode::Fields, self.separators());
            self.expand_parts(&word.parts, &mut fields, false).await?;
            fields.finish();
            for field in fields.done {
                match field.has_glob && !self.options.no_glob && has_wildcard(&field.pattern) {
                    true => self.glob(field, &mut all),
                    false => all.push(field.text),
                }
            }
        }
        Ok(all)
    }

    /// Expands a word to one text.
    pub(super) async fn expand_text(&mut self, word: &Word) -> Result<String, Fault> {
        if let [Part::Quoted(text) | Part::Text(text)] = word.parts.as_slice() {
            return Ok(text.clone());
        }
        Ok(self.expand_one(word).await?.text)
    }

    /// Expands a word to a pattern.
    pub(super) async fn expand_pattern(&mut self, word: &Word) -> Result<Pattern, Fault> {
        Ok(Pattern::new(&self.expand_one(word).await?.pattern))
    }

    async fn expand_one(&mut self, word: &Word) -> Result<Field, Fault> {
        let mut fields = Fields::new(SplitMode::Never, String::new());
        self.expand_parts(&word.parts, &mut fields, false).await?;
        fields.finish();
        Ok(fields.done.into_iter().next().unwrap_or_default())
    }

    fn separators(&self) -> String {
        match self.variable("IFS") {
            Some(text) => text.to_owned(),
            None => " \t\n".to_owned(),
        }
    }

    /// Expands parts; `splits_text` where plain text is the result of an expansion itself.
    fn expand_parts<'a>(
        &'a mut self,
        parts: &'a [Part],
        fields: &'a mut Fields,
        splits_text: bool,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            for part in parts {
                match part {
                    Part::Text(text) if splits_text => fields.expanded(text),
                    Part::Text(text) => fields.plain(text),
                    Part::Quoted(text) => fields.quoted(text),
                    Part::Tilde(name) => {
                        let home = self.home_of(name);
                        match home {
                            Some(home) => fields.quoted(&home),
                            None => fields.plain(&format!("~{name}")),
                        }
                    }
                    Part::Parameter(parameter) => {
                        self.expand_parameter(parameter, fields).await?;
                    }
                    Part::Substitution { body, is_quoted } => {
                        let text = self.substitute(body).await;
                        fields.add(&text, *is_quoted);
                    }
                    Part::Arithmetic { body, is_quoted } => {
                        let text = self.expand_text(body).await?;
                        let value = self.arithmetic(&text)?;
                        fields.add(&value.to_string(), *is_quoted);
                    }
                }
            }
            Ok(())
        })
    }

    fn home_of(&self, name: &str) -> Option<String> {
        if name.is_empty() {
            return self.variable("HOME").map(str::to_owned);
        }
        let passwd = self
            .fleet
            .host(self.host, |host| host.files.text("/etc/passwd"))?;
        let line = passwd
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        line.split(':').nth(5).map(str::to_owned)
    }

    /// Works out an arithmetic expression.
    pub(super) fn arithmetic(&mut self, text: &str) -> Result<i64, Fault> {
        let result = arithmetic::evaluate(text, self);
        result.map_err(|error| self.fail(&error))
    }

    fn value_of(&self, name: &Name) -> Value {
        match name {
            Name::Variable(name) => match self.value_of_variable(name) {
                Some(value) => Value::One(value),
                None => Value::Unset,
            },
            Name::Positional(number) => match self.positional.get(number - 1) {
                Some(value) => Value::One(value.clone()),
                None => Value::Unset,
            },
            Name::Special('@' | '*') => Value::Many(self.positional.clone()),
            Name::Special(one) => match one {
                '#' => Value::One(self.positional.len().to_string()),
                '?' => Value::One(self.status.to_string()),
                '$' => Value::One(self.pid.0.to_string()),
                '!' => match self.last_background {
                    Some(pid) => Value::One(pid.0.to_string()),
                    None => Value::Unset,
                },
                '-' => Value::One(self.options.letters()),
                _ => Value::One(self.name.clone()),
            },
        }
    }

    async fn expand_parameter(
        &mut self,
        parameter: &Parameter,
        fields: &mut Fields,
    ) -> Result<(), Fault> {
        let value = self.value_of(&parameter.name);
        let is_quoted = parameter.is_quoted;
        let is_set = |with_colon: bool| match &value {
            Value::Unset => false,
            Value::One(text) => !with_colon || !text.is_empty(),
            Value::Many(all) => match with_colon {
                true => all.iter().any(|one| !one.is_empty()),
                false => !all.is_empty(),
            },
        };
        match &parameter.operation {
            Operation::Bad => Err(self.fail("Bad substitution")),
            Operation::Default(colon, word) if !is_set(*colon) => {
                self.expand_word_within(word, fields, is_quoted).await
            }
            Operation::Alternative(colon, word) => match is_set(*colon) {
                true => self.expand_word_within(word, fields, is_quoted).await,
                false => {
                    if is_quoted && !matches!(value, Value::Many(_)) {
                        fields.quoted("");
                    }
                    Ok(())
                }
            },
            Operation::Assign(colon, word) if !is_set(*colon) => {
                let text = self.expand_text(word).await?;
                let Name::Variable(name) = &parameter.name else {
                    return Err(self.fail("Bad substitution"));
                };
                self.set(name, &text)?;
                fields.add(&text, is_quoted);
                Ok(())
            }
            Operation::Error(colon, word) if !is_set(*colon) => {
                let text = self.expand_text(word).await?;
                let text = match (text.is_empty(), *colon) {
                    (false, _) => text,
                    (true, true) => "parameter not set or null".to_owned(),
                    (true, false) => "parameter not set".to_owned(),
                };
                Err(self.fail(&format!("{}: {text}", name_of(&parameter.name))))
            }
            Operation::Default(..) | Operation::Assign(..) | Operation::Error(..) => {
                self.add_value(value, &parameter.name, fields, is_quoted);
                Ok(())
            }
            _ => {
                let is_many = matches!(value, Value::Many(_));
                if self.options.no_unset && matches!(value, Value::Unset) && !is_many {
                    let name = name_of(&parameter.name);
                    return Err(self.fail(&format!("{name}: parameter not set")));
                }
                let value = self.changed(value, &parameter.operation).await?;
                self.add_value(value, &parameter.name, fields, is_quoted);
                Ok(())
            }
        }
    }

    async fn expand_word_within(
        &mut self,
        word: &Word,
        fields: &mut Fields,
        is_quoted: bool,
    ) -> Result<(), Fault> {
        if word.parts.is_empty() && is_quoted {
            fields.quoted("");
        }
        self.expand_parts(&word.parts, fields, true).await
    }

    fn add_value(&self, value: Value, name: &Name, fields: &mut Fields, is_quoted: bool) {
        match value {
            Value::Unset => {
                if is_quoted {
                    fields.quoted("");
                }
            }
            Value::One(text) => fields.add(&text, is_quoted),
            Value::Many(all) => {
                let is_star = *name == Name::Special('*');
                let separators = self.separators();
                let joined = is_star && is_quoted;
                if joined || fields.mode == SplitMode::Never {
                    let with = match is_star {
                        true => separators.chars().next().map(String::from),
                        false => Some(" ".to_owned()),
                    };
                    fields.add(&all.join(&with.unwrap_or_default()), is_quoted);
                    return;
                }
                for (index, one) in all.iter().enumerate() {
                    if index > 0 && fields.finish() {
                        fields.separator = Separator::Blank;
                    }
                    fields.add(one, is_quoted);
                }
            }
        }
    }

    /// Does to a value what the operation says.
    async fn changed(&mut self, value: Value, operation: &Operation) -> Result<Value, Fault> {
        if matches!(operation, Operation::Plain) {
            return Ok(value);
        }
        let text = match value {
            Value::Unset => String::new(),
            Value::One(text) => text,
            Value::Many(all) if matches!(operation, Operation::Length) => {
                return Ok(Value::One(match self.dialect {
                    Dialect::Posix => all.join(" ").chars().count().to_string(),
                    Dialect::Bash => all.len().to_string(),
                }));
            }
            Value::Many(all) => {
                let mut changed = Vec::with_capacity(all.len());
                for one in all {
                    changed.push(self.changed_text(one, operation).await?);
                }
                return Ok(Value::Many(changed));
            }
        };
        self.changed_text(text, operation).await.map(Value::One)
    }

    async fn changed_text(&mut self, text: String, operation: &Operation) -> Result<String, Fault> {
        Ok(match operation {
            Operation::Length => text.chars().count().to_string(),
            Operation::RemovePrefix(is_longest, word) => {
                let pattern = self.expand_pattern(word).await?;
                match pattern.prefix(&text, *is_longest) {
                    Some(length) => text[length..].to_owned(),
                    None => text,
                }
            }
            Operation::RemoveSuffix(is_longest, word) => {
                let pattern = self.expand_pattern(word).await?;
                match pattern.suffix(&text, *is_longest) {
                    Some(start) => text[..start].to_owned(),
                    None => text,
                }
            }
            Operation::Slice(offset, length) => {
                let offset = self.expand_text(offset).await?;
                let offset = self.arithmetic(&offset)?;
                let length = match length {
                    Some(length) => {
                        let length = self.expand_text(length).await?;
                        Some(self.arithmetic(&length)?)
                    }
                    None => None,
                };
                slice(&text, offset, length)
            }
            Operation::Replace(is_all, pattern, with) => {
                let pattern = self.expand_pattern(pattern).await?;
                let with = self.expand_text(with).await?;
                replace(&text, &pattern, &with, *is_all)
            }
            Operation::Case(is_upper, is_all) => change_case(&text, *is_upper, *is_all),
            _ => text,
        })
    }

    /// Runs commands and returns what they print, without the newlines at its end.
    async fn substitute(&mut self, body: &Arc<Command>) -> String {
        let (writer, reader) = crate::pipe::pipe();
        let child = {
            let mut descriptors = self.descriptors.clone();
            descriptors.insert(1, super::Descriptor::writer(writer));
            self.start_subshell(body, descriptors, false)
        };
        let bytes = reader.read_to_end().await.unwrap_or_default();
        let (ended, owed) = child.wait().await;
        self.owed += owed;
        self.substitution_status = Some(ended.status());
        self.status = ended.status();
        let mut text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        text.truncate(text.trim_end_matches('\n').len());
        if text.contains('\0') {
            text.retain(|one| one != '\0');
        }
        text
    }

    fn glob(&self, field: Field, all: &mut Vec<String>) {
        let found = self.fleet.host(self.host, |host| {
            glob(
                &host.files,
                &self.credentials,
                &self.directory,
                &field.pattern,
            )
        });
        match found.is_empty() {
            true => all.push(field.text),
            false => all.extend(found),
        }
    }
}

fn name_of(name: &Name) -> String {
    match name {
        Name::Variable(name) => name.clone(),
        Name::Positional(number) => number.to_string(),
        Name::Special(one) => one.to_string(),
    }
}

impl Variables for Shell {
    fn value(&self, name: &str) -> Result<i64, String> {
        let mut name = name.to_owned();
        // The value of a variable may be the name of another one, in bash.
        for _ in 0..20 {
            let Some(text) = self.value_of_variable(&name) else {
                return match self.options.no_unset {
                    true => Err(format!("{name}: parameter not set")),
                    false => Ok(0),
                };
            };
            match arithmetic::parse_value(&text) {
                Some(value) => return Ok(value),
                None if self.dialect == Dialect::Bash && super::parse::is_name(&text) => {
                    name = text;
                }
                None => return Err(format!("Illegal number: {text}")),
            }
        }
        Err(format!("{name}: expression recursion level exceeded"))
    }

    fn assign(&mut self, name: &str, value: i64) -> Result<(), String> {
        self.try_set(name, &value.to_string())
    }
}

/// Returns whether a text can fit anything but itself: a bracket that nothing closes is plain.
fn has_wildcard(pattern: &str) -> bool {
    let open = pattern.find('[');
    pattern.contains(['*', '?']) || open.is_some_and(|open| pattern[open..].contains(']'))
}

/// Returns the paths that fit a pattern, sorted.
pub(crate) fn glob(
    files: &Files,
    who: &Credentials,
    directory: &str,
    pattern: &str,
) -> Vec<String> {
    let is_absolute = pattern.starts_with('/');
    let mut found = vec![String::new()];
    let parts: Vec<&str> = pattern.split('/').collect();
    let last = parts.len() - 1;
    for (index, part) in parts.iter().enumerate() {
        if index == 0 && is_absolute {
            found = vec!["/".to_owned()];
            continue;
        }
        let mut next = Vec::new();
        for base in &found {
            let place = crate::program::absolute(directory, base);
            let place = if place.is_empty() { directory } else { &place };
            if part.is_empty() {
                let is_directory = files
                    .stat(place, Follow::Yes, who)
                    .is_ok_and(|stat| stat.is_directory());
                if index < last || is_directory {
                    next.push(if base.ends_with('/') {
                        base.clone()
                    } else {
                        format!("{base}/")
                    });
                }
                continue;
            }
            let join = |name: &str| match base.is_empty() || base.ends_with('/') {
                true => format!("{base}{name}"),
                false => format!("{base}/{name}"),
            };
            if !has_wildcard(part) {
                let name = unescape(part);
                let path = join(&name);
                let absolute = crate::program::absolute(directory, &path);
                if files.stat(&absolute, Follow::No, who).is_ok() {
                    next.push(path);
                }
                continue;
            }
            let compiled = Pattern::new(part);
            let shows_hidden = part.starts_with('.') || part.starts_with("\\.");
            for name in files.list(place, who).unwrap_or_default() {
                if (shows_hidden || !name.starts_with('.')) && compiled.matches(&name) {
                    next.push(join(&name));
                }
            }
            if shows_hidden {
                for name in [".", ".."] {
                    if compiled.matches(name) {
                        next.push(join(name));
                    }
                }
            }
        }
        if index < last {
            next.retain(|path| {
                let path = crate::program::absolute(directory, path);
                files
                    .stat(&path, Follow::Yes, who)
                    .is_ok_and(|stat| stat.is_directory())
            });
        }
        found = next;
    }
    found.sort();
    found
}

fn unescape(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(one) = characters.next() {
        match one {
            '\\' => text.extend(characters.next()),
            one => text.push(one),
        }
    }
    text
}

fn slice(text: &str, offset: i64, length: Option<i64>) -> String {
    let all: Vec<char> = text.chars().collect();
    let count = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let place = |at: i64| if at < 0 { count + at } else { at }.clamp(0, count);
    let start = place(offset);
    let end = match length {
        Some(length) if length < 0 => place(length),
        Some(length) => (start + length).min(count),
        None => count,
    };
    let range = usize::try_from(start).unwrap_or(0)..usize::try_from(end.max(start)).unwrap_or(0);
    all[range].iter().collect()
}

fn replace(text: &str, pattern: &Pattern, with: &str, is_all: bool) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(one) = rest.chars().next() {
        match pattern.prefix(rest, true).filter(|length| *length > 0) {
            Some(length) => {
                out.push_str(with);
                rest = &rest[length..];
                if !is_all {
                    break;
                }
            }
            None => {
                out.push(one);
                rest = &rest[one.len_utf8()..];
            }
        }
    }
    out + rest
}

fn change_case(text: &str, is_upper: bool, is_all: bool) -> String {
    let change = |text: &str| match is_upper {
        true => text.to_uppercase(),
        false => text.to_lowercase(),
    };
    if is_all {
        return change(text);
    }
    let first = text.chars().next().map_or(0, char::len_utf8);
    format!("{}{}", change(&text[..first]), &text[first..])
}
