//! What is on a host, and how two inventories of it differ.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result, bail};

/// The script that prints an inventory.
pub(crate) const SCRIPT: &str = include_str!("../../files/inventory.sh");

/// What is on a host at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inventory {
    entries: BTreeMap<Key, Entry>,
}

/// A kind of thing (`file`, `package`, `unit`, `container`, …) and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    kind: String,
    name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    what: String,
    /// The time of the last write and the inode of a regular file.
    written: Option<String>,
}

/// Whether a file that was written with the content it had counts as changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compare {
    /// Only what things are.
    Content,
    /// A rewritten or replaced file is a difference, too.
    Writes,
}

/// Something that may differ, and why.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ignored {
    kind: &'static str,
    /// The name; a `*` at the end stands for any rest.
    name: &'static str,
    /// Told to whoever reads the list.
    #[expect(dead_code, reason = "the reason is for readers of the table")]
    why: &'static str,
}

/// Names a difference that is no problem.
pub(crate) const fn ignored(kind: &'static str, name: &'static str, why: &'static str) -> Ignored {
    Ignored { kind, name, why }
}

/// What changes on a host by itself, also when nobody comes.
pub(crate) const BY_ITSELF: &[Ignored] = &[
    ignored(
        "active",
        "user@*",
        "the login user's manager comes and goes with logins",
    ),
    ignored(
        "active",
        "user-runtime-dir@*",
        "the login user's directory comes and goes with logins",
    ),
    ignored(
        "active",
        "systemd-*",
        "systemd's own helpers are started when they are asked",
    ),
    ignored("active", "ssh.service", "the state is compared as a unit"),
    ignored("file", "/var/lib/systemd/*", "stamps of timers and seeds"),
    ignored(
        "file",
        "/tmp/systemd-private-*",
        "made anew for each start of a service",
    ),
    ignored(
        "file",
        "/var/tmp/systemd-private-*",
        "made anew for each start of a service",
    ),
    ignored(
        "file",
        "/var/lib/rpm/rpmdb.sqlite-shm",
        "the memory that readers of the package database share",
    ),
    ignored(
        "link",
        "veth*",
        "the ends of containers' networks have random names",
    ),
];

/// What an apply followed by a reset may leave on a host.
pub(crate) const AFTER_RESET: &[Ignored] = &[
    ignored(
        "file",
        "/var/lib/apt/*",
        "package lists; the packages themselves are compared",
    ),
    ignored(
        "file",
        "/var/lib/dpkg/*",
        "the package database; its content is compared",
    ),
    ignored(
        "file",
        "/var/lib/ucf/*",
        "the record of configuration files of packages",
    ),
    ignored(
        "file",
        "/var/lib/systemd/*",
        "records of enabled units; units are compared",
    ),
    ignored(
        "file",
        "/etc/ld.so.cache",
        "rebuilt whenever a library is installed",
    ),
    ignored("file", "/etc/mtab", "the kernel's"),
    ignored(
        "package",
        "apt-utils",
        "a tool that prepare-hosts installs and leaves",
    ),
    ignored(
        "package",
        "socat",
        "a tool that prepare-hosts installs and leaves",
    ),
    ignored("package", "libwrap0", "needed by socat"),
    ignored("package", "libapt-pkg*", "needed by apt-utils"),
    ignored(
        "group",
        "docker",
        "Debian's policy keeps a package's group: files may belong to it",
    ),
    ignored(
        "file",
        "/etc/group*",
        "holds group docker; groups are compared",
    ),
    ignored(
        "file",
        "/etc/gshadow*",
        "holds group docker; groups are compared",
    ),
];

impl Inventory {
    /// Reads what the script has printed.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut inventory = Self::default();
        let mut hashes = Vec::new();
        for line in text.lines() {
            let mut fields = line.split('\t');
            let (Some(kind), Some(name), Some(what)) =
                (fields.next(), fields.next(), fields.next())
            else {
                bail!("not an entry: `{line}`");
            };
            if kind == "hash" {
                hashes.push((name, what));
                continue;
            }
            let is_regular = kind == "file" && what.starts_with("f ");
            let written = fields.next().filter(|_| is_regular).map(str::to_owned);
            let key = Key {
                kind: kind.to_owned(),
                name: name.to_owned(),
            };
            let entry = Entry {
                what: what.trim_end().to_owned(),
                written,
            };
            inventory.entries.insert(key, entry);
        }
        for (hash, path) in hashes {
            let key = Key {
                kind: "file".to_owned(),
                name: path.to_owned(),
            };
            // A file that was made between listing and hashing is a change of the next inventory.
            if let Some(entry) = inventory.entries.get_mut(&key) {
                entry.what = format!("{} {hash}", entry.what);
            }
        }
        let files = inventory.names("file").count();
        let packages = inventory.names("package").count();
        if files == 0 || packages == 0 {
            bail!("only {files} files and {packages} packages");
        }
        Ok(inventory)
    }

    /// Returns the names of all things of a kind.
    pub(crate) fn names<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        let entries = self.entries.keys().filter(move |key| key.kind == kind);
        entries.map(|key| key.name.as_str())
    }

    /// Returns how a later inventory differs, without what may differ.
    pub(crate) fn differences(
        &self,
        later: &Self,
        compare: Compare,
        allowed: &[&[Ignored]],
    ) -> Vec<Difference> {
        let is_allowed = |key: &Key| {
            allowed
                .iter()
                .copied()
                .flatten()
                .any(|ignored| ignored.covers(key))
        };
        let keys = self.entries.keys().chain(later.entries.keys());
        let mut keys: Vec<&Key> = keys.filter(|key| !is_allowed(key)).collect();
        keys.sort();
        keys.dedup();
        keys.into_iter()
            .filter_map(|key| {
                let (before, after) = (self.entries.get(key), later.entries.get(key));
                let change = change(before, after, compare)?;
                Some(Difference {
                    kind: key.kind.clone(),
                    name: key.name.clone(),
                    change,
                })
            })
            .collect()
    }
}

impl Ignored {
    fn covers(&self, key: &Key) -> bool {
        let names = match self.name.strip_suffix('*') {
            Some(start) => key.name.starts_with(start),
            None => key.name == self.name,
        };
        names && key.kind == self.kind
    }
}

/// One thing that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// `file`, `package`, `unit`, …
    pub(crate) kind: String,
    pub(crate) name: String,
    change: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind, self.name, self.change)
    }
}

fn change(before: Option<&Entry>, after: Option<&Entry>, compare: Compare) -> Option<String> {
    match (before, after) {
        (None, None) => None,
        (None, Some(after)) => Some(format!("new: {}", after.what)),
        (Some(before), None) => Some(format!("gone: {}", before.what)),
        (Some(before), Some(after)) if before.what != after.what => {
            Some(format!("{} -> {}", before.what, after.what))
        }
        (Some(before), Some(after)) => {
            let is_rewritten = compare == Compare::Writes && before.written != after.written;
            is_rewritten.then(|| "written again with the same content".to_owned())
        }
    }
}

/// Joins differences for a message, one per line, no more than a screen.
pub(crate) fn listed(differences: &[Difference]) -> Result<String> {
    use std::fmt::Write;
    let mut text = String::new();
    for difference in differences.iter().take(40) {
        writeln!(text, "{difference}").context("cannot write a difference")?;
    }
    if differences.len() > 40 {
        writeln!(text, "… and {} more", differences.len() - 40)
            .context("cannot write a difference")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "file\t/etc/a\tf 644 root:root \t100.5 7\n\
        hash\tabcd\t/etc/a\n\
        file\t/etc\td 755 root:root \t100.5 1\n\
        package\tcurl\tii  1.0\n";

    fn inventory(text: &str) -> Inventory {
        Inventory::parse(text).unwrap()
    }

    fn shown(before: &str, after: &str, compare: Compare) -> Vec<String> {
        let differences = inventory(before).differences(&inventory(after), compare, &[]);
        differences.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_unchanged_host_has_no_differences() {
        assert_eq!(shown(BEFORE, BEFORE, Compare::Writes), Vec::<String>::new());
    }

    #[test]
    fn a_file_with_another_content_is_a_difference() {
        let after = BEFORE.replace("abcd", "ef01");

        let shown = shown(BEFORE, &after, Compare::Content);

        assert_eq!(
            shown,
            ["file /etc/a: f 644 root:root abcd -> f 644 root:root ef01"]
        );
    }

    #[test]
    fn a_rewritten_file_counts_only_where_writes_count() {
        let after = BEFORE.replace("100.5 7", "200.5 8");

        assert_eq!(
            shown(BEFORE, &after, Compare::Content),
            Vec::<String>::new()
        );
        assert_eq!(
            shown(BEFORE, &after, Compare::Writes),
            ["file /etc/a: written again with the same content"]
        );
    }

    #[test]
    fn new_and_gone_things_are_differences() {
        let after = BEFORE.replace("package\tcurl", "package\tsocat");

        let shown = shown(BEFORE, &after, Compare::Content);

        assert_eq!(
            shown,
            ["package curl: gone: ii  1.0", "package socat: new: ii  1.0"]
        );
    }

    #[test]
    fn what_may_differ_is_left_out() {
        let after = format!("{BEFORE}file\t/var/lib/systemd/timers/x\tf 644 root:root \t1 2\n");
        let (before, after) = (inventory(BEFORE), inventory(&after));

        assert_eq!(before.differences(&after, Compare::Writes, &[]).len(), 1);
        assert_eq!(
            before.differences(&after, Compare::Writes, &[BY_ITSELF]),
            []
        );
    }

    #[test]
    fn an_empty_inventory_is_an_error() {
        assert!(Inventory::parse("").is_err());
        assert!(Inventory::parse("nonsense\n").is_err());
    }
}
