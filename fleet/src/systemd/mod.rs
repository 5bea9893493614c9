//! systemd: units are files of the host; what was read of them, what runs, and the journal are
//! here. Deciding only; the program `systemctl` does it.

mod journal;
mod state;
mod unit;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use journal::{Entry, Journal};
pub use state::{Active, UnitState};
pub(crate) use unit::split_words;
pub use unit::{Behaviour, Load, Unit, full_name, is_known};

use crate::files::{Credentials, Files, Follow, Kind};

/// Where units are, the strongest first (`systemd.unit(5)`).
pub const DIRECTORIES: [&str; 3] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/lib/systemd/system",
];

/// The service manager of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Systemd {
    /// Units as they were last read.
    pub(crate) read: Arc<BTreeMap<String, Arc<Unit>>>,
    /// What is known of units that were ever started.
    pub(crate) states: Arc<BTreeMap<String, UnitState>>,
    /// Units that are there from the start, with how they are.
    pub(crate) base: Arc<BTreeMap<String, (Arc<Unit>, UnitState)>>,
    /// Services that will not start, with what they say; planted by a scenario.
    pub broken: Arc<BTreeMap<String, String>>,
    /// What services have said.
    pub journal: Arc<Journal>,
    /// Whether the host boots, and services have yet to be started.
    pub(crate) is_booting: bool,
}

impl Systemd {
    /// Returns a unit as the manager knows it: read now, where it was never read before.
    pub fn unit(&mut self, files: &Files, name: &str) -> Arc<Unit> {
        let name = unit::resolve(files, &full_name(name));
        if let Some(known) = self.read.get(&name) {
            return Arc::clone(known);
        }
        let unit = Arc::new(Unit::read(files, &name));
        if unit.load != Load::NotFound {
            Arc::make_mut(&mut self.read).insert(name, Arc::clone(&unit));
        }
        unit
    }

    /// Returns a unit as its files are now.
    pub fn on_disk(files: &Files, name: &str) -> Unit {
        Unit::read(files, &unit::resolve(files, &full_name(name)))
    }

    /// Reads all units again (`daemon-reload`).
    pub fn reload(&mut self, files: &Files) {
        let names: Vec<String> = self.read.keys().cloned().collect();
        let read = Arc::make_mut(&mut self.read);
        for name in names {
            let unit = Unit::read(files, &name);
            let keeps = unit.load != Load::NotFound
                || self.states.get(&name).is_some_and(UnitState::is_active);
            if !keeps {
                read.remove(&name);
            } else if read.get(&name).is_none_or(|known| **known != unit) {
                // One that has not changed is the same for all hosts, and is kept once.
                read.insert(name, Arc::new(unit));
            }
        }
    }

    /// Returns whether a unit differs from its files (`NeedDaemonReload`).
    pub fn needs_reload(&self, files: &Files, name: &str) -> bool {
        let Some(known) = self.read.get(name) else {
            return false;
        };
        let now = Unit::read(files, name);
        now.stamp != known.stamp
    }

    /// Returns how a unit is.
    pub fn state(&self, name: &str) -> UnitState {
        self.states.get(name).cloned().unwrap_or_default()
    }

    /// Sets how a unit is.
    pub fn set_state(&mut self, name: &str, state: UnitState) {
        Arc::make_mut(&mut self.states).insert(name.to_owned(), state);
    }

    /// Returns whether a unit is active.
    pub fn is_active(&self, name: &str) -> bool {
        self.states.get(name).is_some_and(UnitState::is_active)
    }

    /// Returns the names of all units that are active.
    pub fn active(&self) -> Vec<String> {
        let active = self.states.iter().filter(|(_, state)| state.is_active());
        active.map(|(name, _)| name.clone()).collect()
    }

    /// Takes down everything without a word: power has gone. What is there from the start is there
    /// again.
    pub fn lose_power(&mut self) {
        let base = &self.base;
        let states = base
            .iter()
            .map(|(name, (_, state))| (name.clone(), state.clone()));
        self.states = Arc::new(states.collect());
        let read = base
            .iter()
            .map(|(name, (unit, _))| (name.clone(), Arc::clone(unit)));
        self.read = Arc::new(read.collect());
    }

    /// Adds a unit that is there from the start.
    pub(crate) fn add_base(&mut self, unit: Unit, state: UnitState) {
        let (name, unit) = (unit.name.clone(), Arc::new(unit));
        self.set_state(&name, state.clone());
        Arc::make_mut(&mut self.read).insert(name.clone(), Arc::clone(&unit));
        Arc::make_mut(&mut self.base).insert(name, (unit, state));
    }

    /// Takes a unit away that was there from the start.
    pub(crate) fn forget_base(&mut self, name: &str) {
        Arc::make_mut(&mut self.read).remove(name);
        Arc::make_mut(&mut self.base).remove(name);
        Arc::make_mut(&mut self.states).remove(name);
    }
}

/// Returns the links by which a unit is wanted, as `systemctl enable` makes them: link, target.
pub fn install_links(unit: &Unit) -> Vec<(String, String)> {
    let fragment = unit.fragment.clone().unwrap_or_default();
    let mut links = Vec::new();
    for (key, suffix) in [("WantedBy", "wants"), ("RequiredBy", "requires")] {
        for target in unit.values("Install", key) {
            let link = format!("/etc/systemd/system/{target}.{suffix}/{}", unit.name);
            links.push((link, fragment.clone()));
        }
    }
    for alias in unit.values("Install", "Alias") {
        links.push((format!("/etc/systemd/system/{alias}"), fragment.clone()));
    }
    links
}

/// Returns what `systemctl is-enabled` says of a unit, as its files are now; `None` where there is
/// no such unit.
pub fn file_state(files: &Files, name: &str) -> Option<&'static str> {
    let root = Credentials::root();
    let full = full_name(name);
    let resolved = unit::resolve(files, &full);
    let unit = Unit::read(files, &resolved);
    match unit.load {
        Load::NotFound => return None,
        Load::Masked => return Some("masked"),
        Load::Loaded | Load::BadSetting => {}
    }
    if resolved != full {
        return Some("alias");
    }
    let links = install_links(&unit);
    if links.is_empty() {
        return Some("static");
    }
    let is_linked = |(link, _): &(String, String)| {
        let node = files.node(link, Follow::No, &root);
        node.is_ok_and(|node| matches!(node.kind, Kind::Link(_)))
    };
    Some(if links.iter().any(is_linked) {
        "enabled"
    } else {
        "disabled"
    })
}

/// Returns the units that start with the host: those that targets of a usual boot want.
pub fn wanted_at_boot(files: &Files) -> Vec<String> {
    let root = Credentials::root();
    let mut names = Vec::new();
    for directory in DIRECTORIES {
        for target in ["sysinit", "basic", "sockets", "multi-user"] {
            let wants = format!("{directory}/{target}.target.wants");
            for name in files.list(&wants, &root).unwrap_or_default() {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
    }
    names
}
