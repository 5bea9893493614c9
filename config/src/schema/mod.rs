//! What may stand in launchpad.yaml: every key with its type, default, meaning and an example.
//!
//! The one description of the newest form. Decoders read a mapping beside its block and are held to
//! it; the JSON Schema, the reference in `docs/configuration.md` and the suggestions for unknown keys
//! are made from it.
//!
//! - `document`, `host`, `connection`, `products`: the blocks
//! - `json`: the JSON Schema
//! - `markdown`: the tables of the reference

use std::sync::LazyLock;

mod connection;
mod document;
mod host;
mod json;
#[cfg(test)]
mod markdown;
mod products;
#[cfg(test)]
mod tests;

pub(crate) use connection::{LOCALHOST, OPEN_SSH, SSH, WIN_RM};
pub(crate) use document::{CLUSTER, DOCUMENT, METADATA, SPEC};
pub(crate) use host::{HOOK_PAIR, HOOKS, HOST};
pub use json::{SCHEMA_URL, json_schema};
pub(crate) use products::{CLOUD, MCR, MKE, MSR};

/// A mapping whose keys are known.
#[derive(Debug)]
pub(crate) struct Block {
    /// Its name, unique among blocks.
    pub(crate) name: &'static str,
    /// What it is called in an editor.
    pub(crate) title: &'static str,
    /// What it is for, in one sentence.
    pub(crate) about: &'static str,
    /// Its keys, in the order in which they are best written.
    pub(crate) keys: &'static [Key],
    /// Keys of older forms and of other tools, each with what to do.
    pub(crate) former: &'static [(&'static str, &'static str)],
}

/// A key of a block.
#[derive(Debug)]
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    /// What its value has to be.
    pub(crate) kind: Kind,
    /// What it means, as Markdown in one line.
    pub(crate) about: &'static str,
    /// What counts where it is not there.
    pub(crate) absent: Absent,
    /// A value that loads, as YAML in one line.
    pub(crate) example: &'static str,
    /// Whether it does anything.
    pub(crate) standing: Standing,
    /// Whether it may stand there without a value.
    pub(crate) may_be_empty: bool,
}

/// What a value has to be.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// A text that no output may show.
    Secret,
    /// This word and no other, never from the environment.
    Constant(&'static str),
    /// One of these words, never from the environment.
    Fixed(&'static [&'static str]),
    /// One of these words.
    Word(&'static [&'static str]),
    /// The name of a cluster, which becomes that of a directory.
    ClusterName,
    /// A host name or an IP address, without a port.
    Address,
    /// A host name, an IP address, or an alias of ssh_config.
    Alias,
    /// The name of a login user.
    User,
    /// A text of three characters or more.
    LongText,
    /// A URL.
    Url,
    /// A channel of the package repository.
    Channel,
    /// A version.
    Version,
    /// A path of this machine that is not looked at while the document is read.
    Path,
    /// A file of this machine that is read.
    File,
    /// True or false.
    Switch,
    /// A whole number between two limits.
    Number(u32, u32),
    /// A list of texts.
    Texts,
    /// A list of command-line flags.
    Flags,
    /// A mapping with any keys and values.
    Free,
    /// Variables of the environment, with their values.
    Variables,
    /// Options of `ssh`, each with a value or a list of them.
    Options,
    /// Another block.
    One(&'static Block),
    /// A list of blocks.
    Many(&'static Block),
}

/// What counts where a key is not there.
#[derive(Debug)]
pub(crate) enum Absent {
    /// It has to be there.
    Refused,
    /// Nothing.
    Nothing,
    /// This value, as YAML.
    Value(&'static str),
    /// What this phrase says.
    Told(&'static str),
}

/// Whether a key does anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It does.
    Used,
    /// It is read and checked, and refused before a run.
    NotYet,
    /// It works, and there is something better.
    Deprecated,
    /// It is accepted, and nothing reads it.
    NoEffect,
}

/// Begins a key that may be left out.
const fn key(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key {
        name,
        kind,
        about,
        absent: Absent::Nothing,
        example: "",
        standing: Standing::Used,
        may_be_empty: true,
    }
}

/// A switch that is off unless it is set.
const fn switch(name: &'static str, about: &'static str) -> Key {
    key(name, Kind::Switch, about)
        .value("false")
        .example("true")
}

impl Key {
    const fn required(mut self) -> Self {
        self.absent = Absent::Refused;
        self.may_be_empty = false;
        self
    }

    const fn never_empty(mut self) -> Self {
        self.may_be_empty = false;
        self
    }

    const fn value(mut self, yaml: &'static str) -> Self {
        self.absent = Absent::Value(yaml);
        self
    }

    const fn otherwise(mut self, phrase: &'static str) -> Self {
        self.absent = Absent::Told(phrase);
        self
    }

    const fn example(mut self, yaml: &'static str) -> Self {
        self.example = yaml;
        self
    }

    const fn standing(mut self, standing: Standing) -> Self {
        self.standing = standing;
        self
    }

    /// Returns the block that stands below the key.
    pub(crate) fn block(&self) -> Option<&'static Block> {
        match self.kind {
            Kind::One(block) | Kind::Many(block) => Some(block),
            _ => None,
        }
    }
}

impl Block {
    /// Returns a key by its name.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// A key with the path of its block (`spec.hosts[].ssh`).
pub(crate) struct Placed {
    /// The block that it stands in.
    pub(crate) block: &'static Block,
    /// The path of that block; empty for the document.
    pub(crate) parent: String,
    /// The key.
    pub(crate) key: &'static Key,
}

impl Placed {
    /// Returns the path of the key (`spec.hosts[].ssh.port`).
    pub(crate) fn path(&self) -> String {
        crate::node::key_path(&self.parent, self.key.name)
    }
}

/// Returns every key there is, those of a bastion's bastion not again.
pub(crate) fn every_key() -> &'static [Placed] {
    static ALL: LazyLock<Vec<Placed>> = LazyLock::new(|| {
        let mut found = Vec::new();
        walk(&DOCUMENT, "", &mut Vec::new(), &mut found);
        found
    });
    &ALL
}

fn walk(
    block: &'static Block,
    parent: &str,
    above: &mut Vec<&'static str>,
    found: &mut Vec<Placed>,
) {
    above.push(block.name);
    for key in block.keys {
        let placed = Placed {
            block,
            parent: parent.to_owned(),
            key,
        };
        let mut path = placed.path();
        found.push(placed);
        let Some(below) = key.block() else { continue };
        if matches!(key.kind, Kind::Many(_)) {
            path.push_str("[]");
        }
        if !above.contains(&below.name) {
            walk(below, &path, above, found);
        }
    }
    above.pop();
}
