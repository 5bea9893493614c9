//! The command line of dnf.

use super::repository::Age;

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Wishes {
    pub(super) command: String,
    pub(super) names: Vec<String>,
    pub(super) yes: bool,
    pub(super) no: bool,
    pub(super) is_quiet: bool,
    pub(super) refreshes: bool,
    pub(super) is_cached: bool,
    /// `--best` or `--nobest`, where one is said.
    pub(super) best: Option<bool>,
    pub(super) may_erase: bool,
    pub(super) skips_broken: bool,
    pub(super) checks_keys: bool,
    pub(super) keeps_unused: bool,
    pub(super) only_downloads: bool,
    /// `--enablerepo`, `--disablerepo` and `--repo`, in their order.
    pub(super) repositories: Vec<(Choice, String)>,
    pub(super) excludes: Vec<String>,
    pub(super) settings: Vec<(String, String)>,
    pub(super) release: Option<String>,
    /// What only some commands know.
    pub(super) flags: Vec<(String, String)>,
}

impl Wishes {
    /// Returns whether a flag of a command was given.
    pub(super) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|(name, _)| name == flag)
    }

    /// Returns the value of a flag of a command.
    pub(super) fn value(&self, flag: &str) -> Option<&str> {
        let mut found = self.flags.iter().rev().filter(|(name, _)| name == flag);
        found.next().map(|(_, value)| value.as_str())
    }

    /// Returns how old what repositories tell may be.
    pub(super) fn age(&self) -> Age {
        if self.refreshes { Age::New } else { Age::Good }
    }
}

/// What is said of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// It is used.
    Enable,
    /// It is not used.
    Disable,
    /// It is used, and no other.
    Only,
}

/// Why a command line cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BadLine {
    /// There is no such option.
    Unknown(String),
    /// It is dnf's, and not known here.
    NotSimulated(String),
}

/// Options of dnf that change nothing here; whether they take a value.
const WITHOUT_EFFECT: &[(&str, bool)] = &[
    ("--color=never", false),
    ("--color", true),
    ("--noplugins", false),
    ("--nodocs", false),
    ("-4", false),
    ("-6", false),
    ("--verbose", false),
    ("-v", false),
    ("--obsoletes", false),
    ("--comment", true),
    ("-d", true),
    ("--debuglevel", true),
    ("-e", true),
    ("--errorlevel", true),
    ("--rpmverbosity", true),
    ("--disableplugin", true),
    ("--enableplugin", true),
];

/// Options of single commands; whether they take a value.
const OF_COMMANDS: &[(&str, bool)] = &[
    ("--installed", false),
    ("--available", false),
    ("--all", false),
    ("--enabled", false),
    ("--disabled", false),
    ("--upgrades", false),
    ("--updates", false),
    ("--extras", false),
    ("--showduplicates", false),
    ("--latest-limit", true),
    ("--qf", true),
    ("--queryformat", true),
    ("--requires", false),
    ("--provides", false),
    ("--conflicts", false),
    ("--whatprovides", true),
    ("--whatrequires", true),
    ("--userinstalled", false),
    ("--list", false),
    ("-l", false),
    ("--info", false),
    ("-i", false),
    ("--nevra", false),
    ("--envra", false),
    ("--name", false),
    ("--set-enabled", false),
    ("--set-disabled", false),
    ("--enable", false),
    ("--disable", false),
    ("--add-repo", true),
    ("--save", false),
    ("--dump", false),
    ("--timer", false),
    ("--raw", false),
];

pub(super) fn parse(arguments: &[String]) -> Result<Wishes, BadLine> {
    let mut wishes = Wishes {
        checks_keys: true,
        ..Wishes::default()
    };
    let mut words = arguments.iter().cloned();
    while let Some(word) = words.next() {
        if !word.starts_with('-') || word == "-" {
            if wishes.command.is_empty() {
                wishes.command = word;
            } else {
                wishes.names.push(word);
            }
            continue;
        }
        if word == "--" {
            wishes.names.extend(words);
            break;
        }
        if !word.starts_with("--") && word.len() > 2 {
            for letter in word[1..].chars() {
                option(&mut wishes, &format!("-{letter}"), None, &mut words)?;
            }
            continue;
        }
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        option(&mut wishes, &name, value, &mut words)?;
    }
    Ok(wishes)
}

fn option(
    wishes: &mut Wishes,
    name: &str,
    value: Option<String>,
    words: &mut impl Iterator<Item = String>,
) -> Result<(), BadLine> {
    let mut needed = || value.clone().or_else(|| words.next()).unwrap_or_default();
    let list = |text: String| {
        let parts = text.split([',', ' ']).map(str::to_owned);
        parts
            .filter(|part| !part.is_empty())
            .collect::<Vec<String>>()
    };
    match name {
        "-y" | "--assumeyes" => wishes.yes = true,
        "--assumeno" => wishes.no = true,
        "-q" | "--quiet" => wishes.is_quiet = true,
        "--refresh" => wishes.refreshes = true,
        "-C" | "--cacheonly" => wishes.is_cached = true,
        "-b" | "--best" => wishes.best = Some(true),
        "--nobest" => wishes.best = Some(false),
        "--allowerasing" => wishes.may_erase = true,
        "--skip-broken" => wishes.skips_broken = true,
        "--nogpgcheck" => wishes.checks_keys = false,
        "--noautoremove" => wishes.keeps_unused = true,
        "--downloadonly" => wishes.only_downloads = true,
        "--enablerepo" | "--disablerepo" | "--repo" | "--repoid" => {
            let choice = match name {
                "--enablerepo" => Choice::Enable,
                "--disablerepo" => Choice::Disable,
                _ => Choice::Only,
            };
            let ids = list(needed());
            wishes
                .repositories
                .extend(ids.into_iter().map(|id| (choice, id)));
        }
        "-x" | "--exclude" | "--excludepkgs" => {
            let names = list(needed());
            wishes.excludes.extend(names);
        }
        "--setopt" => {
            let text = needed();
            let (name, value) = text.split_once('=').unwrap_or((&text, ""));
            wishes.settings.push((name.to_owned(), value.to_owned()));
        }
        "--releasever" => wishes.release = Some(needed()),
        "--version" => wishes.flags.push(("--version".to_owned(), String::new())),
        "-h" | "--help" | "--help-cmd" => return Err(BadLine::NotSimulated(name.to_owned())),
        "--installroot" | "-c" | "--config" | "--forcearch" | "--repofrompath" | "--security"
        | "--advisory" | "--bugfix" | "--destdir" | "--skip-unavailable" => {
            return Err(BadLine::NotSimulated(name.to_owned()));
        }
        name => {
            let find = |options: &[(&str, bool)]| {
                let found = options.iter().find(|(one, _)| *one == name);
                found.map(|(_, takes)| *takes)
            };
            if let Some(takes) = find(WITHOUT_EFFECT) {
                if takes {
                    drop(needed());
                }
                return Ok(());
            }
            let Some(takes) = find(OF_COMMANDS) else {
                return Err(BadLine::Unknown(name.to_owned()));
            };
            let value = if takes { needed() } else { String::new() };
            wishes.flags.push((name.to_owned(), value));
        }
    }
    Ok(())
}
