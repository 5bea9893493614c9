//! Plugins of dnf: `config-manager`, `versionlock`; and `module`, without any modules.

use super::repository::{self, Age, DIRECTORY, Settings};
use super::select::{self, LOCKS};
use super::wishes::Wishes;
use crate::packages::rpm::repofile;
use crate::program::Invocation;

/// `dnf config-manager`.
pub(super) async fn config_manager(
    invocation: &mut Invocation,
    wishes: &Wishes,
    settings: &Settings,
) -> u8 {
    if invocation.credentials.uid != 0 {
        invocation.complain(
            "Error: This command has to be run with superuser privileges (under the root user on \
             most systems).\n",
        );
        return 1;
    }
    if let Some(address) = wishes.value("--add-repo") {
        return add(invocation, wishes, address).await;
    }
    let enabled = match (
        wishes.has("--set-enabled") || wishes.has("--enable"),
        wishes.has("--set-disabled") || wishes.has("--disable"),
    ) {
        (true, false) => Some("1"),
        (false, true) => Some("0"),
        _ => None,
    };
    let mut ids = wishes.names.clone();
    let settings_of: Vec<(String, String, String)> = wishes
        .settings
        .iter()
        .filter_map(|(name, value)| {
            let (id, name) = name.rsplit_once('.')?;
            Some((id.to_owned(), name.to_owned(), value.clone()))
        })
        .collect();
    if ids.is_empty() {
        ids = settings_of.iter().map(|(id, ..)| id.clone()).collect();
    }
    if ids.is_empty() || (enabled.is_none() && !wishes.has("--save")) {
        return invocation.not_simulated("config-manager without something to change");
    }
    for id in &ids {
        let repo = settings.repos.iter().find(|repo| repo.id == *id);
        let Some(repo) = repo.cloned() else {
            invocation.complain(&format!("Error: No matching repo to modify: {id}.\n"));
            return 1;
        };
        let text = invocation.host(|host| host.files.text(&repo.path));
        let mut text = text.unwrap_or_default();
        if let Some(enabled) = enabled {
            text = repofile::set(&text, id, "enabled", enabled);
        }
        for (_, name, value) in settings_of.iter().filter(|(own, ..)| own == id) {
            text = repofile::set(&text, id, name, value);
        }
        if let Err(errno) = invocation.write_file(&repo.path, text.into_bytes()) {
            invocation.complain(&format!(
                "Error: Could not save repo {}: {errno}\n",
                repo.path
            ));
            return 1;
        }
    }
    0
}

/// Adds a repository: a file of one that is fetched, or the address of one.
async fn add(invocation: &mut Invocation, wishes: &Wishes, address: &str) -> u8 {
    if !wishes.is_quiet {
        invocation.print(&format!("Adding repo from: {address}\n"));
    }
    let (name, text) = if address.ends_with(".repo") {
        let found = crate::program::rpm::fetch::page(invocation, address).await;
        let Ok((text, _)) = found else {
            invocation.complain(&format!(
                "Error: Configuration of repo failed\nStatus code: 404 for {address}\n"
            ));
            return 1;
        };
        let name = address.rsplit('/').next().unwrap_or_default();
        (name.trim_end_matches(".repo").to_owned(), text)
    } else {
        let plain = address.split_once("://").map_or(address, |(_, rest)| rest);
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        let id: String = plain
            .chars()
            .map(|letter| if is_plain(letter) { letter } else { '_' })
            .collect();
        let text = format!(
            "[{id}]\nname=created by dnf config-manager from {address}\nbaseurl={address}\n\
             enabled=1\n"
        );
        (id, text)
    };
    let path = format!("{DIRECTORY}/{name}.repo");
    match invocation.write_file(&path, text.into_bytes()) {
        Ok(()) => 0,
        Err(errno) => {
            invocation.complain(&format!(
                "Error: Could not save repo to repofile {path}: {errno}\n"
            ));
            1
        }
    }
}

/// `dnf versionlock`.
pub(super) async fn versionlock(
    invocation: &mut Invocation,
    wishes: &Wishes,
    settings: &Settings,
) -> u8 {
    let age = Age::Good;
    let metadata = match repository::load(invocation, wishes, settings, age).await {
        Ok(metadata) => metadata,
        Err(status) => return status,
    };
    let (verb, names) = match wishes.names.split_first() {
        None => ("list", &[][..]),
        Some((verb, names)) => (verb.as_str(), names),
    };
    let mut locks = select::locks(invocation);
    let mut said = String::new();
    match verb {
        "list" => said.extend(locks.iter().map(|lock| format!("{lock}\n"))),
        "clear" => locks.clear(),
        "add" => {
            let pool = select::pool(invocation, wishes, settings, &metadata);
            for name in names {
                let here = select::here_for(&pool, name).into_iter();
                let here = here.map(|one| std::sync::Arc::clone(&one.package)).next();
                let offer = select::offers_for(&pool, name).into_iter().next();
                let Some(package) = here.or_else(|| offer.map(|one| one.package.clone())) else {
                    invocation.print(&format!("No package found for: {name}\n"));
                    continue;
                };
                let version = match package.version.contains(':') {
                    true => package.version.clone(),
                    false => format!("0:{}", package.version),
                };
                let lock = format!("{}-{version}.*", package.name);
                said.push_str(&format!("Adding versionlock on: {lock}\n"));
                locks.push(lock);
            }
        }
        "delete" => {
            for name in names {
                let start = format!("{name}-");
                let (gone, kept) = std::mem::take(&mut locks)
                    .into_iter()
                    .partition::<Vec<String>, _>(|lock| lock.starts_with(&start));
                locks = kept;
                let lines = gone
                    .iter()
                    .map(|lock| format!("Deleting versionlock for: {lock}\n"));
                said.extend(lines);
            }
        }
        other => return invocation.not_simulated(&format!("versionlock {other}")),
    }
    invocation.print(&said);
    if verb != "list" {
        let text: String = locks.iter().map(|lock| format!("{lock}\n")).collect();
        if invocation.write_file(LOCKS, text.into_bytes()).is_err() {
            invocation.complain("Error: Version lock file could not be written.\n");
            return 1;
        }
    }
    0
}

/// `dnf module`: the repositories of the fleet have none.
pub(super) fn module(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let (verb, names) = match wishes.names.split_first() {
        None => ("", &[][..]),
        Some((verb, names)) => (verb.as_str(), names),
    };
    match verb {
        "list" if names.is_empty() => 0,
        "list" => {
            invocation.complain("Error: No matching Modules to list\n");
            1
        }
        "enable" | "disable" | "reset" | "install" if !names.is_empty() => {
            invocation.complain(&format!(
                "Error: Problems in request:\nmissing groups or modules: {}\n",
                names.join(", ")
            ));
            1
        }
        other => invocation.not_simulated(&format!("module {other}")),
    }
}
