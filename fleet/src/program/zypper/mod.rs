//! `zypper`.

mod announce;
mod look;
mod repository;
mod table;
#[cfg(test)]
mod tests;
mod transaction;

use futures_util::future::BoxFuture;

use super::apt::lock;
use super::{Invocation, Program};

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "zypper",
    run: zypper,
}];

/// The exit statuses of zypper (`zypper(8)`).
mod status {
    pub(super) const SYNTAX: u8 = 2;
    pub(super) const INVALID_ARGUMENTS: u8 = 3;
    pub(super) const ZYPP: u8 = 4;
    pub(super) const PRIVILEGES: u8 = 5;
    pub(super) const NO_REPOS: u8 = 6;
    pub(super) const LOCKED: u8 = 7;
    pub(super) const COMMIT: u8 = 8;
    pub(super) const NOT_FOUND: u8 = 104;
    pub(super) const REPOS_SKIPPED: u8 = 106;
    pub(super) const SCRIPT_FAILED: u8 = 107;
}

/// What was asked for.
#[derive(Debug, Clone, Default)]
struct Wishes {
    command: String,
    names: Vec<String>,
    is_quiet: bool,
    asks_nothing: bool,
    skips_keys: bool,
    takes_keys: bool,
    keeps_metadata: bool,
    flags: Vec<(String, String)>,
}

impl Wishes {
    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|(name, _)| name == flag)
    }

    fn has_letter(&self, letters: &[char]) -> bool {
        let is_it = |name: &str| {
            let mut own = name.chars();
            own.next().is_some_and(|letter| letters.contains(&letter)) && own.next().is_none()
        };
        self.flags.iter().any(|(name, _)| is_it(name))
    }

    fn value(&self, flag: &str) -> Option<&str> {
        let mut found = self.flags.iter().rev().filter(|(name, _)| name == flag);
        found.next().map(|(_, value)| value.as_str())
    }
}

/// The options of a command: how each is written, what it is called here, whether it has a value.
type Known = &'static [(&'static str, &'static str, bool)];

const REPOS: Known = &[
    ("-u", "u", false),
    ("--uri", "u", false),
    ("--url", "u", false),
    ("-d", "d", false),
    ("--details", "d", false),
    ("-p", "p", false),
    ("--priority", "p", false),
    ("-P", "P", false),
    ("-E", "E", false),
    ("--show-enabled-only", "E", false),
    ("-n", "n", false),
    ("-r", "r", false),
];

const ADDREPO: Known = &[
    ("-f", "f", false),
    ("--refresh", "f", false),
    ("-d", "d", false),
    ("--disable", "d", false),
    ("-n", "name", true),
    ("--name", "name", true),
    ("-p", "priority", true),
    ("--priority", "priority", true),
    ("-G", "G", false),
    ("--no-gpgcheck", "G", false),
    ("-g", "g", false),
    ("--gpgcheck", "g", false),
    ("-c", "c", false),
    ("--check", "c", false),
    ("-C", "c", false),
    ("--no-check", "c", false),
    ("-t", "type", true),
    ("--type", "type", true),
];

const MODIFYREPO: Known = &[
    ("-e", "e", false),
    ("--enable", "e", false),
    ("-d", "d", false),
    ("--disable", "d", false),
    ("-f", "f", false),
    ("--refresh", "f", false),
    ("-r", "f", false),
    ("-F", "F", false),
    ("-R", "F", false),
    ("--no-refresh", "F", false),
    ("-G", "G", false),
    ("--no-gpgcheck", "G", false),
    ("-g", "g", false),
    ("--gpgcheck", "g", false),
    ("-p", "priority", true),
    ("--priority", "priority", true),
    ("-n", "name", true),
    ("--name", "name", true),
];

const REFRESH: Known = &[("-f", "f", false), ("--force", "f", false)];

const SEARCH: Known = &[
    ("-i", "i", false),
    ("--installed-only", "i", false),
    ("-u", "u", false),
    ("--not-installed-only", "u", false),
    ("-s", "s", false),
    ("--details", "s", false),
    ("-x", "x", false),
    ("--match-exact", "x", false),
    ("--match-words", "x", false),
    ("--provides", "provides", false),
    ("-P", "provides", false),
    ("-t", "type", true),
    ("--type", "type", true),
    ("-C", "C", false),
    ("-n", "n", false),
    ("--name", "n", false),
];

const INSTALL: Known = &[
    ("-y", "y", false),
    ("--no-confirm", "y", false),
    ("-f", "f", false),
    ("--force", "f", false),
    ("--oldpackage", "old", false),
    ("--dry-run", "dry", false),
    ("-D", "dry", false),
    ("-l", "l", false),
    ("--auto-agree-with-licenses", "l", false),
    ("--no-recommends", "n", false),
    ("--recommends", "n", false),
    ("--force-resolution", "resolve", false),
    ("-R", "R", false),
    ("--no-force-resolution", "R", false),
    ("--allow-downgrade", "old", false),
    ("--allow-vendor-change", "v", false),
    ("--replacefiles", "v", false),
    ("-u", "clean", false),
    ("--clean-deps", "clean", false),
    ("-U", "U", false),
    ("--no-clean-deps", "U", false),
    ("-t", "type", true),
    ("--type", "type", true),
    ("--download-in-advance", "v", false),
    ("-r", "from", true),
    ("--repo", "from", true),
    ("--from", "from", true),
    ("--details", "v", false),
];

/// Commands by all their names: the one that they have here, their options, whether they need root.
const COMMANDS: &[(&[&str], &str, Known, bool)] = &[
    (&["repos", "lr"], "repos", REPOS, false),
    (&["addrepo", "ar"], "addrepo", ADDREPO, true),
    (&["removerepo", "rr"], "removerepo", &[], true),
    (&["modifyrepo", "mr"], "modifyrepo", MODIFYREPO, true),
    (&["refresh", "ref"], "refresh", REFRESH, true),
    (
        &["clean", "cc"],
        "clean",
        &[("-a", "a", false), ("--all", "a", false)],
        true,
    ),
    (&["search", "se"], "search", SEARCH, false),
    (&["info", "if"], "info", SEARCH, false),
    (&["list-updates", "lu"], "list-updates", &[], false),
    (&["install", "in"], "install", INSTALL, true),
    (&["remove", "rm"], "remove", INSTALL, true),
    (&["update", "up"], "update", INSTALL, true),
    (&["dist-upgrade", "dup"], "dist-upgrade", INSTALL, true),
    (&["addlock", "al"], "addlock", &[("-t", "type", true)], true),
    (&["removelock", "rl"], "removelock", &[], true),
    (&["locks", "ll"], "locks", &[], false),
];

/// Why a command line cannot be used.
enum BadLine {
    Command(String),
    Option(String),
    NotSimulated(String),
}

fn zypper(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        invocation.spend(crate::time::of("zypper")).await;
        if invocation
            .arguments
            .iter()
            .any(|word| word == "--version" || word == "-V")
        {
            let own = invocation.host(|host| host.packages.get("zypper").cloned());
            let own = own.map_or_else(|| "1.14.42-1".to_owned(), |one| one.package.version.clone());
            let own = own.split('-').next().unwrap_or_default().to_owned();
            invocation.print(&format!("zypper {own}\n"));
            return 0;
        }
        match parse(&invocation.arguments) {
            Ok((wishes, needs_root)) => run(invocation, &wishes, needs_root).await,
            Err(BadLine::NotSimulated(what)) => invocation.not_simulated(&what),
            Err(BadLine::Option(option)) => {
                invocation.complain(&format!("The flag {option} is not known.\n"));
                status::SYNTAX
            }
            Err(BadLine::Command(name)) => {
                invocation.complain(&format!("Unknown command '{name}'\n"));
                invocation.print(&format!(
                    "Type 'zypper help' to get a list of global options and commands.\n\nIn case \
                     '{name}' is not a typo it's probably not a built-in command, but provided as a \
                     subcommand or plug-in (see 'zypper help subcommand').\nIn this case a specific \
                     package providing the subcommand needs to be installed first. Those packages are \
                     often named 'zypper-{name}' or 'zypper-{name}-plugin'.\n"
                ));
                status::SYNTAX
            }
        }
    })
}

fn parse(arguments: &[String]) -> Result<(Wishes, bool), BadLine> {
    let mut wishes = Wishes::default();
    let mut words = arguments.iter().cloned();
    let command = loop {
        let Some(word) = words.next() else {
            return Err(BadLine::NotSimulated("no command".to_owned()));
        };
        match word.as_str() {
            "-n" | "--non-interactive" => wishes.asks_nothing = true,
            "-q" | "--quiet" => wishes.is_quiet = true,
            "-nq" | "-qn" => {
                wishes.asks_nothing = true;
                wishes.is_quiet = true;
            }
            "--no-gpg-checks" => wishes.skips_keys = true,
            "--gpg-auto-import-keys" => wishes.takes_keys = true,
            "--no-refresh" => wishes.keeps_metadata = true,
            "-v"
            | "--verbose"
            | "--no-color"
            | "-A"
            | "--no-abbrev"
            | "-i"
            | "--ignore-unknown"
            | "--non-interactive-include-reboot-patches" => {}
            "-x" | "--xmlout" | "-R" | "--root" | "--installroot" | "--plus-repo" | "-c" => {
                return Err(BadLine::NotSimulated(format!("option {word}")));
            }
            word if word.starts_with('-') => return Err(BadLine::Option(word.to_owned())),
            _ => break word,
        }
    };
    let found = COMMANDS
        .iter()
        .find(|(names, ..)| names.contains(&command.as_str()));
    let Some((_, name, known, needs_root)) = found else {
        return Err(BadLine::Command(command));
    };
    (*name).clone_into(&mut wishes.command);
    while let Some(word) = words.next() {
        if word == "--" {
            wishes.names.extend(words);
            break;
        }
        if !word.starts_with('-') || word == "-" {
            wishes.names.push(word);
            continue;
        }
        let is_long = word.starts_with("--");
        let parts: Vec<String> = match is_long {
            true => vec![word],
            false => word[1..]
                .chars()
                .map(|letter| format!("-{letter}"))
                .collect(),
        };
        for part in parts {
            let (option, value) = match part.split_once('=') {
                Some((option, value)) if is_long => (option.to_owned(), Some(value.to_owned())),
                _ => (part.clone(), None),
            };
            let found = known.iter().find(|(one, ..)| *one == option);
            let Some((_, own, takes)) = found else {
                return Err(BadLine::Option(option));
            };
            let value = match takes {
                true => value.or_else(|| words.next()).unwrap_or_default(),
                false => String::new(),
            };
            wishes.flags.push(((*own).to_owned(), value));
        }
    }
    Ok((wishes, *needs_root))
}

async fn run(invocation: &mut Invocation, wishes: &Wishes, needs_root: bool) -> u8 {
    if needs_root && invocation.credentials.uid != 0 {
        invocation.complain("Root privileges are required to run this command.\n");
        return status::PRIVILEGES;
    }
    let needed = [
        "install",
        "remove",
        "removerepo",
        "modifyrepo",
        "info",
        "addlock",
        "removelock",
    ];
    if needed.contains(&wishes.command.as_str()) && wishes.names.is_empty() {
        invocation.complain("Required argument missing.\n");
        return status::SYNTAX;
    }
    // Only those that change something take the lock.
    let _held = match needs_root {
        true => match take(invocation).await {
            Ok(held) => Some(held),
            Err(status) => return status,
        },
        false => None,
    };
    match wishes.command.as_str() {
        "repos" => repository::list(invocation, wishes),
        "addrepo" => repository::add(invocation, wishes),
        "removerepo" => repository::remove(invocation, wishes),
        "modifyrepo" => repository::modify(invocation, wishes),
        "refresh" => repository::refresh(invocation, wishes).await,
        "clean" => repository::clean(invocation),
        "addlock" | "removelock" | "locks" => look::locks(invocation, wishes),
        "search" | "info" | "list-updates" => look::run(invocation, wishes).await,
        _ => transaction::run(invocation, wishes).await,
    }
}

/// Takes the lock, as long as `ZYPP_LOCK_TIMEOUT` lets it wait.
async fn take(invocation: &mut Invocation) -> Result<lock::Held, u8> {
    let limit = invocation
        .variable("ZYPP_LOCK_TIMEOUT")
        .map(str::parse::<i64>);
    let limit = match limit {
        Some(Ok(seconds)) if seconds < 0 => u64::MAX,
        Some(Ok(seconds)) => seconds.unsigned_abs(),
        _ => 0,
    };
    match lock::take(invocation, lock::Which::Packages, limit).await {
        Ok(held) => Ok(held),
        Err(holder) => {
            invocation.complain(&format!(
                "System management is locked by the application with pid {} (/usr/bin/{}).\nClose \
                 this application before trying again.\n",
                holder.pid, holder.name
            ));
            Err(status::LOCKED)
        }
    }
}
