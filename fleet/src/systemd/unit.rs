//! A unit, as its files say.

use crate::files::{Credentials, Files, Follow, Kind};

use super::DIRECTORIES;

/// How reading went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// It was read.
    Loaded,
    /// There is none.
    NotFound,
    /// It is linked to `/dev/null`.
    Masked,
    /// Something in it makes no sense.
    BadSetting,
}

impl Load {
    /// Returns the word of `LoadState`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Loaded => "loaded",
            Self::NotFound => "not-found",
            Self::Masked => "masked",
            Self::BadSetting => "bad-setting",
        }
    }
}

/// What a service does, by the program that it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// The container engine.
    Engine,
    /// containerd.
    Containerd,
    /// A service that runs until it is stopped; the name of its program.
    Daemon(String),
    /// A command that is run to its end.
    OneShot(Vec<String>),
    /// Nothing runs: a target, a socket, a slice.
    Passive,
}

/// A unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its name (`docker.service`).
    pub name: String,
    /// How reading went.
    pub load: Load,
    /// Its file.
    pub fragment: Option<String>,
    /// Its drop-ins, in their order.
    pub drop_ins: Vec<String>,
    /// All settings: section, key, value.
    pub settings: Vec<(String, String, String)>,
    /// Paths and times of change of all its files, by which a change is noticed.
    pub stamp: Vec<(String, u64)>,
}

/// Adds `.service` to a name that has no suffix of a unit.
pub fn full_name(name: &str) -> String {
    const SUFFIXES: [&str; 9] = [
        ".service", ".socket", ".target", ".timer", ".mount", ".slice", ".path", ".scope",
        ".device",
    ];
    if SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
        name.to_owned()
    } else {
        format!("{name}.service")
    }
}

/// Returns the name that an alias stands for.
pub(super) fn resolve(files: &Files, name: &str) -> String {
    let root = Credentials::root();
    for directory in DIRECTORIES {
        let path = format!("{directory}/{name}");
        let Ok(node) = files.node(&path, Follow::No, &root) else {
            continue;
        };
        let Kind::Link(target) = &node.kind else {
            return name.to_owned();
        };
        let last = target.rsplit('/').next().unwrap_or_default();
        let is_unit = full_name(last) == last;
        return if is_unit { last } else { name }.to_owned();
    }
    name.to_owned()
}

/// Returns whether there is a file for a unit.
pub fn is_known(files: &Files, name: &str) -> bool {
    Unit::read(files, &resolve(files, &full_name(name))).load != Load::NotFound
}

impl Unit {
    /// Reads a unit.
    pub fn read(files: &Files, name: &str) -> Self {
        let mut unit = Self {
            name: name.to_owned(),
            load: Load::NotFound,
            fragment: None,
            drop_ins: Vec::new(),
            settings: Vec::new(),
            stamp: Vec::new(),
        };
        let root = Credentials::root();
        let found = DIRECTORIES.iter().find_map(|directory| {
            let path = format!("{directory}/{name}");
            files
                .node(&path, Follow::No, &root)
                .ok()
                .map(|node| (path, node))
        });
        let Some((path, node)) = found else {
            return unit;
        };
        unit.load = Load::Loaded;
        if matches!(&node.kind, Kind::Link(target) if &**target == "/dev/null") {
            unit.load = Load::Masked;
            unit.fragment = Some(path);
            return unit;
        }
        unit.take(files, &path);
        unit.fragment = Some(path);
        let mut drop_ins: Vec<(String, String)> = Vec::new();
        for directory in ["/usr/lib/systemd/system"]
            .iter()
            .chain(DIRECTORIES.iter().rev())
        {
            let directory = format!("{directory}/{name}.d");
            for file in files.list(&directory, &root).unwrap_or_default() {
                if file.ends_with(".conf") {
                    drop_ins.retain(|(known, _)| *known != file);
                    drop_ins.push((file.clone(), format!("{directory}/{file}")));
                }
            }
        }
        drop_ins.sort();
        for (_, path) in drop_ins {
            unit.take(files, &path);
            unit.drop_ins.push(path);
        }
        unit
    }

    fn take(&mut self, files: &Files, path: &str) {
        let root = Credentials::root();
        if let Ok(stat) = files.stat(path, Follow::Yes, &root) {
            self.stamp
                .push((path.to_owned(), stat.modified.as_nanos() as u64));
        }
        let text = files.text(path).unwrap_or_default();
        let mut section = String::new();
        let text = text.replace("\\\n", " ");
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|line| line.strip_suffix(']'))
            {
                section = name.to_owned();
            } else if let Some((key, value)) = line.split_once('=') {
                let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
                // An empty value takes back all that were set before.
                if value.is_empty() {
                    self.settings
                        .retain(|(its, name, _)| (its, name) != (&section, &key));
                } else {
                    self.settings.push((section.clone(), key, value));
                }
            } else {
                self.load = Load::BadSetting;
            }
        }
    }

    /// Returns the last value of a key.
    pub fn value(&self, section: &str, key: &str) -> Option<&str> {
        let found = self.settings.iter().rev();
        let mut found = found.filter(|(its, name, _)| its == section && name == key);
        found.next().map(|(_, _, value)| value.as_str())
    }

    /// Returns all words of all values of a key.
    pub fn values(&self, section: &str, key: &str) -> Vec<String> {
        let found = self.settings.iter();
        found
            .filter(|(its, name, _)| its == section && name == key)
            .flat_map(|(_, _, value)| value.split_whitespace().map(str::to_owned))
            .collect()
    }

    /// Returns the description, or the name where there is none.
    pub fn description(&self) -> &str {
        self.value("Unit", "Description").unwrap_or(&self.name)
    }

    /// Returns the environment that it is started with, quotes taken off.
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (section, key, value) in &self.settings {
            if section != "Service" || key != "Environment" {
                continue;
            }
            for word in split_words(value) {
                if let Some((name, value)) = word.split_once('=') {
                    all.push((name.to_owned(), value.to_owned()));
                }
            }
        }
        all
    }

    /// Returns what it does.
    pub fn behaviour(&self) -> Behaviour {
        if !self.name.ends_with(".service") {
            return Behaviour::Passive;
        }
        let command = self.value("Service", "ExecStart").unwrap_or_default();
        let words = split_words(command.trim_start_matches(['-', '@', ':', '+', '!']));
        let program = words.first().cloned().unwrap_or_default();
        let name = program.rsplit('/').next().unwrap_or_default().to_owned();
        if self.value("Service", "Type") == Some("oneshot") {
            return Behaviour::OneShot(words);
        }
        match name.as_str() {
            "" => Behaviour::Passive,
            "dockerd" => Behaviour::Engine,
            "containerd" => Behaviour::Containerd,
            _ => Behaviour::Daemon(name),
        }
    }
}

/// Splits a value into words, as `systemd.syntax(7)` does: quotes and C escapes.
pub(crate) fn split_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut is_open = false;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', _) => {
                is_open = true;
                word.push(match characters.next() {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some(other) => other,
                    None => '\\',
                });
            }
            (one, Some(open)) if one == open => quote = None,
            (one, Some(_)) => word.push(one),
            ('"' | '\'', None) => {
                quote = Some(character);
                is_open = true;
            }
            (one, None) if one.is_whitespace() => {
                if is_open || !word.is_empty() {
                    words.push(std::mem::take(&mut word).replace("%%", "%"));
                }
                is_open = false;
            }
            (one, None) => word.push(one),
        }
    }
    if is_open || !word.is_empty() {
        words.push(word.replace("%%", "%"));
    }
    words
}
