//! Packages of hosts: what is installed, what repositories offer, what an installation leads to.
//! Deciding only; the programs do it. Debian's way is here, that of rpm in [`rpm`].

mod offer;
pub mod rpm;
mod solve;
pub mod version;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use offer::{Index, Metadata, Repository, Signature};
pub use solve::{Broken, Plan, Request, Unavailable, plan_install, plan_remove};

/// The key by which the distribution itself signs: every host of it trusts it.
pub const DISTRIBUTION_KEY: &str = "F6ECB3762474EDA9D21B7022871920D1991BC93C";

/// A file that a package brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackageFile {
    /// A directory.
    Directory(String),
    /// A program, simulated under the last part of its path.
    Program(String),
    /// A text; path, mode, content.
    Text(String, u32, String),
    /// A text that `remove` leaves and `purge` takes.
    Configuration(String, u32, String),
    /// A symbolic link: path, target.
    Link(String, String),
}

impl PackageFile {
    /// Returns its path.
    pub fn path(&self) -> &str {
        match self {
            Self::Directory(path)
            | Self::Program(path)
            | Self::Text(path, ..)
            | Self::Configuration(path, ..)
            | Self::Link(path, _) => path,
        }
    }
}

/// How a version is compared in a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `>=`.
    AtLeast,
    /// `=`.
    Exactly,
    /// `<<`.
    Below,
    /// `>>`.
    Above,
    /// `<=`.
    AtMost,
}

/// A package that another one names, with the versions that will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The name.
    pub name: String,
    /// The versions that will do; all without.
    pub version: Option<(Comparison, String)>,
}

impl Relation {
    /// Reads `name` or `name (>= 1.2)`.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let Some((name, rest)) = text.split_once('(') else {
            return Self {
                name: text.to_owned(),
                version: None,
            };
        };
        let rest = rest.trim_end_matches(')').trim();
        let end = rest.find(|one: char| !"<>=".contains(one));
        let (sign, version) = rest.split_at(end.unwrap_or(rest.len()));
        let comparison = match sign {
            "=" => Comparison::Exactly,
            "<<" => Comparison::Below,
            ">>" => Comparison::Above,
            "<=" => Comparison::AtMost,
            _ => Comparison::AtLeast,
        };
        Self {
            name: name.trim().to_owned(),
            version: Some((comparison, version.trim().to_owned())),
        }
    }

    /// Returns whether a version of the package will do.
    pub fn accepts(&self, version: &str) -> bool {
        self.version.as_ref().is_none_or(|(comparison, wanted)| {
            let order = version::compare(version, wanted);
            match comparison {
                Comparison::AtLeast => order.is_ge(),
                Comparison::Exactly => order.is_eq(),
                Comparison::Below => order.is_lt(),
                Comparison::Above => order.is_gt(),
                Comparison::AtMost => order.is_le(),
            }
        })
    }
}

impl std::fmt::Display for Relation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        let Some((comparison, version)) = &self.version else {
            return Ok(());
        };
        let sign = match comparison {
            Comparison::AtLeast => ">=",
            Comparison::Exactly => "=",
            Comparison::Below => "<<",
            Comparison::Above => ">>",
            Comparison::AtMost => "<=",
        };
        write!(f, " ({sign} {version})")
    }
}

/// The paths of a package of the base system, with blanks between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paths {
    /// These, in the order of its archive.
    All(&'static str),
    /// These, and others.
    Some(&'static str),
}

impl Default for Paths {
    fn default() -> Self {
        Self::Some("")
    }
}

impl Paths {
    /// Returns those that are known.
    pub fn known(self) -> impl Iterator<Item = &'static str> {
        let (Self::All(paths) | Self::Some(paths)) = self;
        paths.split(' ').filter(|path| !path.is_empty())
    }
}

/// A package in one version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `amd64`, `all`, …
    pub architecture: String,
    /// What it needs: each entry is a choice.
    pub depends: Vec<Vec<Relation>>,
    /// What it cannot live with.
    pub conflicts: Vec<Relation>,
    /// What it provides besides its name (rpm).
    pub provides: Vec<Relation>,
    /// What it takes the place of (rpm).
    pub obsoletes: Vec<Relation>,
    /// Its license (rpm).
    pub license: String,
    /// Who made it (rpm).
    pub vendor: String,
    /// Where more is said of it (rpm).
    pub url: String,
    /// Its first line of description.
    pub summary: String,
    /// `admin`, `web`, …
    pub section: String,
    /// `optional`, `required`, …
    pub priority: String,
    /// How many bytes it takes to fetch.
    pub size: u64,
    /// How many bytes it takes when it is installed.
    pub installed_size: u64,
    /// What it brings.
    pub files: Vec<PackageFile>,
    /// Of a package of the base system, whose files are there from the start: its paths.
    pub paths: Paths,
    /// Whether it may be there once for each architecture: then its name is shown with that.
    pub is_for_each: bool,
    /// Maintainer scripts by name (`postinst`, `prerm`, `postrm`).
    pub scripts: BTreeMap<String, String>,
}

impl Package {
    /// Returns its name as dpkg shows it.
    pub fn shown(&self) -> String {
        match self.is_for_each {
            true => format!("{}:{}", self.name, self.architecture),
            false => self.name.clone(),
        }
    }

    /// Makes a package of a base system, of which nothing but its version matters.
    pub fn base(name: &str, version: &str, architecture: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            architecture: architecture.to_owned(),
            priority: "optional".to_owned(),
            ..Self::default()
        }
    }
}

/// How far an installation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is all there.
    Installed,
    /// It was removed; its configuration files are left.
    ConfigFiles,
    /// Its files are there; nothing is set up.
    Unpacked,
    /// Setting up has begun and not ended.
    HalfConfigured,
}

impl State {
    /// Returns the word that `dpkg-query` has for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::ConfigFiles => "config-files",
            Self::Unpacked => "unpacked",
            Self::HalfConfigured => "half-configured",
        }
    }

    /// Returns the second letter of `dpkg -l`.
    pub fn letter(self) -> char {
        match self {
            Self::Installed => 'i',
            Self::ConfigFiles => 'c',
            Self::Unpacked => 'U',
            Self::HalfConfigured => 'F',
        }
    }
}

/// A package on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Which.
    pub package: Arc<Package>,
    /// How far.
    pub state: State,
    /// Whether it came because another one needs it.
    pub is_automatic: bool,
    /// Whether it must stay as it is (`apt-mark hold`).
    pub is_held: bool,
    /// The repository that it came from; empty for what was there from the start (rpm).
    pub origin: String,
    /// When it was installed, as time since 1970.
    pub since: std::time::Duration,
}

/// Somebody who holds a lock of the package manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The id of the process.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// When it lets go, as time since the start of the fleet; with its process, where there is no
    /// such time.
    pub until: Option<std::time::Duration>,
}

/// The packages of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packages {
    /// What is installed, or has been.
    pub installed: Arc<BTreeMap<String, Installed>>,
    /// What `apt-get update` has fetched.
    pub indexes: Arc<Vec<Index>>,
    /// Who changes packages now.
    pub holder: Option<Holder>,
    /// Who fetches indexes now.
    pub list_holder: Option<Holder>,
    /// What repositories have told, by their id (rpm).
    pub metadata: Arc<BTreeMap<String, Metadata>>,
    /// The fingerprints of keys that packages may be signed by (rpm).
    pub keys: Vec<String>,
}

impl Packages {
    /// Returns an installed package; none that has only left its configuration.
    pub fn get(&self, name: &str) -> Option<&Installed> {
        let found = self.installed.get(name);
        found.filter(|one| one.state != State::ConfigFiles)
    }

    /// Takes note of how a package is now.
    pub fn set(&mut self, installed: Installed) {
        let name = installed.package.name.clone();
        Arc::make_mut(&mut self.installed).insert(name, installed);
    }

    /// Sets how far a package is.
    pub fn set_state(&mut self, name: &str, state: State) {
        if let Some(one) = Arc::make_mut(&mut self.installed).get_mut(name) {
            one.state = state;
        }
    }

    /// Forgets a package.
    pub fn forget(&mut self, name: &str) {
        Arc::make_mut(&mut self.installed).remove(name);
    }

    /// Returns the packages whose installation was interrupted.
    pub fn interrupted(&self) -> Vec<String> {
        let is_halfway =
            |one: &&Installed| matches!(one.state, State::Unpacked | State::HalfConfigured);
        let halfway = self.installed.values().filter(is_halfway);
        halfway.map(|one| one.package.name.clone()).collect()
    }

    /// Returns all versions that repositories offer of a package, the newest first.
    pub fn offers(&self, name: &str) -> Vec<(&Index, &Arc<Package>)> {
        let mut found: Vec<(&Index, &Arc<Package>)> = self
            .indexes
            .iter()
            .flat_map(|index| index.packages.iter().map(move |package| (index, package)))
            .filter(|(_, package)| package.name == name)
            .collect();
        found.sort_by(|one, other| version::compare(&other.1.version, &one.1.version));
        found
    }

    /// Returns what would be installed of a package if no version is asked for: the newest, unless
    /// a newer one is there.
    pub fn candidate(&self, name: &str) -> Option<Arc<Package>> {
        let offered = self
            .offers(name)
            .first()
            .map(|(_, package)| Arc::clone(package));
        let here = self.get(name).map(|one| Arc::clone(&one.package));
        match (offered, here) {
            (Some(offered), Some(here)) => {
                let is_newer = version::compare(&offered.version, &here.version).is_gt();
                Some(if is_newer { offered } else { here })
            }
            (offered, here) => offered.or(here),
        }
    }
}

/// Returns what Debian calls a machine: `amd64` for `x86_64`.
pub fn debian_architecture(machine: &str) -> &'static str {
    match machine {
        "aarch64" => "arm64",
        _ => "amd64",
    }
}
