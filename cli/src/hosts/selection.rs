//! Which hosts are meant: pure, but for their operating systems, which somebody has to ask for.

use std::collections::BTreeMap;
use std::net::IpAddr;

use config::{Config, Connection, Host, Localhost, Role, UnknownRole};

use crate::arguments::HostSelection;
use crate::error::CliError;
use crate::session::on;

/// How many hosts of the configuration are named where one is not found.
const NAMED: usize = 5;

/// A host that is meant.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    /// Its name in messages.
    pub(crate) name: String,
    /// What it is for; nothing where it is this machine, and not of the configuration.
    pub(crate) role: Option<Role>,
    /// How it is reached.
    pub(crate) connection: Connection,
    /// Whether sudo is used without asking whether it is needed.
    pub(crate) sudo_override: bool,
    /// Whether docker commands are run through sudo.
    pub(crate) sudo_docker: bool,
}

impl Chosen {
    fn of(name: String, host: &Host) -> Self {
        Self {
            name,
            role: Some(host.role),
            connection: host.connection.clone(),
            sudo_override: host.sudooverride,
            sudo_docker: host.sudodocker,
        }
    }

    /// The machine that launchpad runs on, where it is no host of the configuration.
    fn this_machine() -> Self {
        Self {
            name: "localhost".to_owned(),
            role: None,
            connection: Connection::Localhost(Localhost {}),
            sudo_override: false,
            sudo_docker: false,
        }
    }

    fn is_this_machine(&self) -> bool {
        matches!(self.connection, Connection::Localhost(_))
    }
}

/// Whether the command can be given to one host only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It is for one.
    One,
    /// It may be for many.
    Many,
}

fn wrong(text: String) -> CliError {
    CliError::Usage(text)
}

/// Returns the hosts that targets and role name, in their order; all where there are neither.
///
/// What is left out by one of them is not let in again by another.
pub(crate) fn candidates(
    config: &Config,
    selection: &HostSelection,
) -> Result<Vec<Chosen>, CliError> {
    let all: Vec<Chosen> = config
        .host_names()
        .into_iter()
        .zip(&config.hosts)
        .map(|(name, host)| Chosen::of(name, host))
        .collect();
    let mut chosen = Vec::new();
    for target in &selection.targets {
        let found = target_of(&all, target.trim())?;
        if chosen.iter().all(|one: &Chosen| one.name != found.name) {
            chosen.push(found);
        }
    }
    if selection.targets.is_empty() {
        chosen = all;
    }
    if let Some(role) = &selection.role {
        let role: Role = role
            .parse()
            .map_err(|error: UnknownRole| wrong(error.to_string()))?;
        chosen.retain(|one| one.role == Some(role));
    }
    Ok(chosen)
}

/// Returns the host that a target names.
fn target_of(all: &[Chosen], target: &str) -> Result<Chosen, CliError> {
    if target == "localhost" {
        let configured = all.iter().find(|one| one.is_this_machine());
        return Ok(configured.cloned().unwrap_or_else(Chosen::this_machine));
    }
    if let Some(one) = all.iter().find(|one| one.name == target) {
        return Ok(one.clone());
    }
    let (address, port) = split_target(target)?;
    let found: Vec<&Chosen> = all
        .iter()
        .filter(|one| is_same(one.connection.address(), address))
        .filter(|one| port.is_none() || one.connection.port() == port)
        .collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(wrong(format!(
            "`{target}` is no host of the configuration, which has {}",
            name(all)
        ))),
        several => Err(wrong(format!(
            "`{target}` can be {} hosts: say which of {}",
            several.len(),
            name(several.iter().copied())
        ))),
    }
}

fn name<'a>(hosts: impl IntoIterator<Item = &'a Chosen>) -> String {
    let names: Vec<&str> = hosts.into_iter().map(|one| one.name.as_str()).collect();
    let first: Vec<String> = names
        .iter()
        .take(NAMED)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len().saturating_sub(NAMED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// Splits `address:port` and `[address]:port`; an address with colons of its own has no port.
fn split_target(target: &str) -> Result<(&str, Option<u16>), CliError> {
    let port = |text: &str| {
        text.parse::<u16>()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| wrong(format!("`{text}` in the target `{target}` is no port")))
    };
    if let Some((address, rest)) = target.strip_prefix('[').and_then(|it| it.split_once(']')) {
        return match rest.strip_prefix(':') {
            Some(text) => Ok((address, Some(port(text)?))),
            None if rest.is_empty() => Ok((address, None)),
            None => Err(wrong(format!(
                "the target `{target}` is neither `[ADDRESS]` nor `[ADDRESS]:PORT`"
            ))),
        };
    }
    match target.split_once(':') {
        Some((address, text)) if !text.contains(':') => Ok((address, Some(port(text)?))),
        _ => Ok((target, None)),
    }
}

fn is_same(one: &str, other: &str) -> bool {
    match (one.parse::<IpAddr>(), other.parse::<IpAddr>()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one.eq_ignore_ascii_case(other),
    }
}

/// Keeps the hosts of an operating system, and those of which it is not known.
pub(crate) fn keep_os(
    chosen: Vec<Chosen>,
    wanted: &str,
    systems: &BTreeMap<String, String>,
) -> Vec<Chosen> {
    let wanted = wanted.to_ascii_lowercase();
    let is_wanted = |one: &Chosen| match systems.get(&one.name).map(String::as_str) {
        Some("windows") => wanted == "windows",
        Some(id) => wanted == "linux" || wanted == id,
        None => true,
    };
    chosen.into_iter().filter(is_wanted).collect()
}

/// Judges how many hosts there are; keeps one where only the first is wanted.
pub(crate) fn settle(
    mut chosen: Vec<Chosen>,
    selection: &HostSelection,
    reach: Reach,
) -> Result<Vec<Chosen>, CliError> {
    if on(selection.first) {
        if chosen.is_empty() {
            return Err(wrong("`--first` is given, and there is no host".to_owned()));
        }
        chosen.truncate(1);
    }
    let count = chosen.len();
    if count > 1 && reach == Reach::One {
        return Err(wrong(format!(
            "a terminal is for one host, and these are {count}: name one with `--target`, or take \
             `--first`"
        )));
    }
    if count > 1 && !on(selection.all) {
        return Err(wrong(format!(
            "these are {count} hosts ({}): allow that with `--all`, or name one with `--target`",
            name(&chosen)
        )));
    }
    let is_windows = |one: &Chosen| matches!(one.connection, Connection::WinRm(_));
    if chosen.iter().any(is_windows) && !chosen.iter().all(is_windows) {
        return Err(wrong(
            "these hosts have different operating systems: choose with `--os linux` or \
             `--os windows`"
                .to_owned(),
        ));
    }
    Ok(chosen)
}

#[cfg(test)]
#[path = "selection_tests.rs"]
mod tests;
