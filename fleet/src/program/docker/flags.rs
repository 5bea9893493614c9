//! The reader of its command line.

use super::{Failure, said, unknown};

/// A flag that is simulated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flag {
    name: &'static str,
    short: Option<char>,
    takes_value: bool,
}

impl Flag {
    /// A flag that is there or not.
    pub(super) const fn switch(name: &'static str) -> Self {
        Self {
            name,
            short: None,
            takes_value: false,
        }
    }

    /// A flag with a value.
    pub(super) const fn value(name: &'static str) -> Self {
        Self {
            name,
            short: None,
            takes_value: true,
        }
    }

    /// Adds a letter.
    pub(super) const fn short(self, letter: char) -> Self {
        Self {
            short: Some(letter),
            ..self
        }
    }
}

/// What was given.
#[derive(Debug, Clone, Default)]
pub(super) struct Flags {
    values: Vec<(&'static str, String)>,
    /// What is no flag.
    pub(super) rest: Vec<String>,
}

impl Flags {
    /// Reads flags that may stand anywhere.
    pub(super) fn parse(known: &[Flag], words: &[&str]) -> Result<Self, Failure> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        Self::read(known, &words, false)
    }

    /// Reads flags before the first other word: what follows belongs to somebody else.
    pub(super) fn parse_until_word(known: &[Flag], words: &[String]) -> Result<Self, Failure> {
        Self::read(known, words, true)
    }

    fn read(known: &[Flag], words: &[String], stops: bool) -> Result<Self, Failure> {
        let mut flags = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                flags.rest.extend(words.cloned());
                break;
            }
            if let Some(long) = word.strip_prefix("--") {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (long, None),
                };
                let found = known.iter().find(|flag| flag.name == name);
                let flag = found.ok_or_else(|| not_known(name, word))?;
                let value = match (flag.takes_value, value) {
                    (_, Some(value)) => value,
                    (false, None) => "true".to_owned(),
                    (true, None) => words.next().cloned().ok_or_else(|| needs(word))?,
                };
                flags.values.push((flag.name, value));
            } else if word.len() > 1 && word.starts_with('-') {
                flags.read_letters(known, word, &mut words)?;
            } else {
                flags.rest.push(word.clone());
                if stops {
                    flags.rest.extend(words.cloned());
                    break;
                }
            }
        }
        Ok(flags)
    }

    fn read_letters<'a>(
        &mut self,
        known: &[Flag],
        word: &str,
        words: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), Failure> {
        for (at, letter) in word.char_indices().skip(1) {
            let found = known.iter().find(|flag| flag.short == Some(letter));
            let no_such = || Failure::NoFlag(format!("shorthand flag: '{letter}' in {word}"));
            let flag = found.ok_or_else(|| match letter.is_ascii_alphabetic() {
                true => unknown(format!("the flag -{letter}")),
                false => no_such(),
            })?;
            let after = &word[at + letter.len_utf8()..];
            if let Some(value) = after.strip_prefix('=') {
                self.values.push((flag.name, value.to_owned()));
                return Ok(());
            }
            if !flag.takes_value {
                self.values.push((flag.name, "true".to_owned()));
                continue;
            }
            let value = if after.is_empty() {
                words.next().cloned().ok_or_else(|| needs(word))?
            } else {
                after.to_owned()
            };
            self.values.push((flag.name, value));
            return Ok(());
        }
        Ok(())
    }

    /// Returns the last value of a flag.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let found = self.values.iter().rev().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns all values of a flag.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let found = self.values.iter().filter(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone()).collect()
    }

    /// Returns whether a switch is on.
    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name)
            .is_some_and(|value| value != "false" && value != "0")
    }

    /// Returns the pairs of a flag that is given as `name=value`.
    pub(super) fn pairs(&self, name: &str) -> Vec<(String, String)> {
        let values = self.all(name).into_iter();
        values
            .map(|pair| match pair.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => (pair, String::new()),
            })
            .collect()
    }

    /// Returns the filters, all of which have to be simulated ones.
    pub(super) fn filters(&self, simulated: &[&str]) -> Result<Vec<(String, String)>, Failure> {
        let filters = self.pairs("filter");
        let mut names = filters.iter().map(|(name, _)| name.as_str());
        match names.find(|name| !simulated.contains(name)) {
            Some(name) if FILTERS.contains(&name) => Err(unknown(format!("the filter {name}"))),
            Some(name) => Err(said(format!(
                "Error response from daemon: Invalid filter '{name}'"
            ))),
            None => Ok(filters),
        }
    }
}

/// Filters that the real command has, somewhere.
const FILTERS: &[&str] = &[
    "ancestor",
    "before",
    "dangling",
    "desired-state",
    "driver",
    "exited",
    "expose",
    "health",
    "id",
    "is-task",
    "label",
    "membership",
    "mode",
    "name",
    "network",
    "node",
    "node.label",
    "publish",
    "reference",
    "role",
    "scope",
    "since",
    "status",
    "type",
    "until",
    "up-to-date",
    "volume",
];

fn needs(flag: &str) -> Failure {
    match said(format!("flag needs an argument: {flag}")) {
        Failure::Said(text, _) => Failure::Said(text, 125),
        other => other,
    }
}

/// Flags that the real command has, somewhere, and that are not simulated everywhere.
const REAL: &[&str] = &[
    "add-host",
    "all",
    "attach",
    "author",
    "autolock",
    "blkio-weight",
    "build-arg",
    "cap-add",
    "cap-drop",
    "ca-cert",
    "ca-key",
    "cert-expiry",
    "cgroup-parent",
    "cgroupns",
    "cidfile",
    "config",
    "constraint",
    "constraint-add",
    "constraint-rm",
    "container-label",
    "cpu-period",
    "cpu-quota",
    "cpu-shares",
    "cpus",
    "cpuset-cpus",
    "cpuset-mems",
    "credential-spec",
    "data-path-addr",
    "details",
    "detach",
    "detach-keys",
    "device",
    "digests",
    "disable-content-trust",
    "dispatcher-heartbeat",
    "dns",
    "dns-option",
    "dns-search",
    "driver",
    "endpoint-mode",
    "entrypoint",
    "env",
    "env-add",
    "env-file",
    "env-rm",
    "expose",
    "external-ca",
    "file",
    "filter",
    "follow",
    "force",
    "force-new-cluster",
    "format",
    "gateway",
    "generic-resource",
    "gpus",
    "group",
    "group-add",
    "health-cmd",
    "health-interval",
    "health-retries",
    "health-start-period",
    "health-timeout",
    "host",
    "hostname",
    "human",
    "ingress",
    "init",
    "input",
    "interactive",
    "internal",
    "ip",
    "ip-range",
    "ipam-driver",
    "ipam-opt",
    "ipc",
    "ipv6",
    "isolation",
    "kernel-memory",
    "label",
    "label-file",
    "last",
    "latest",
    "limit-cpu",
    "limit-memory",
    "limit-pids",
    "link",
    "log-driver",
    "log-opt",
    "mac-address",
    "max-snapshots",
    "memory",
    "memory-reservation",
    "memory-swap",
    "message",
    "mode",
    "mount",
    "name",
    "network",
    "network-add",
    "network-alias",
    "no-healthcheck",
    "no-prune",
    "no-resolve",
    "no-stream",
    "no-trunc",
    "oom-kill-disable",
    "oom-score-adj",
    "opt",
    "orchestrator",
    "output",
    "pause",
    "pid",
    "pids-limit",
    "placement-pref",
    "platform",
    "pretty",
    "privileged",
    "publish",
    "publish-add",
    "publish-all",
    "publish-rm",
    "pull",
    "quiet",
    "read-only",
    "replicas",
    "replicas-max-per-node",
    "reserve-cpu",
    "reserve-memory",
    "restart",
    "restart-condition",
    "restart-delay",
    "restart-max-attempts",
    "restart-window",
    "rollback",
    "rollback-delay",
    "rollback-order",
    "rotate",
    "runtime",
    "scope",
    "secret",
    "secret-add",
    "secret-rm",
    "security-opt",
    "shm-size",
    "sig-proxy",
    "signal",
    "since",
    "size",
    "snapshot-interval",
    "stop-grace-period",
    "stop-signal",
    "stop-timeout",
    "storage-opt",
    "subnet",
    "sysctl",
    "tail",
    "template-driver",
    "time",
    "timestamps",
    "tmpfs",
    "tty",
    "type",
    "ulimit",
    "until",
    "update-failure-action",
    "update-max-failure-ratio",
    "update-monitor",
    "user",
    "userns",
    "uts",
    "verbose",
    "volume",
    "volume-driver",
    "volumes",
    "volumes-from",
    "with-registry-auth",
    "workdir",
];

/// A flag that is not in the list: one that is not simulated, or one that there is not.
fn not_known(name: &str, word: &str) -> Failure {
    match REAL.contains(&name) {
        true => unknown(format!("the flag --{name}")),
        false => Failure::NoFlag(format!("flag: {}", word.split('=').next().unwrap_or(word))),
    }
}
