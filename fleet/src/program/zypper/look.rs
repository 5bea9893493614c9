//! Commands of zypper that only look, and locks of packages.

use std::collections::BTreeMap;

use super::repository::{self, Repo};
use super::table::{bytes, table};
use super::{Wishes, status};
use crate::packages::rpm::plan::{Here, Offer, Pool};
use crate::packages::rpm::version::compare;
use crate::packages::rpm::{fits_machine, meets, relation, without_epoch};
use crate::packages::{Metadata, Package, State};
use crate::program::Invocation;
use crate::shell::pattern;

/// Where locks of packages are kept.
const LOCKS: &str = "/etc/zypp/locks";

/// Returns everything there is to choose from.
pub(super) fn pool(
    invocation: &Invocation,
    repos: &[Repo],
    metadata: &BTreeMap<String, Metadata>,
) -> Pool {
    let machine = invocation.host(|host| host.hardware.machine.clone());
    let mut offers = Vec::new();
    let mut repos: Vec<&Repo> = repos.iter().collect();
    repos.sort_by_key(|repo| repo.priority);
    for repo in repos {
        let Some(metadata) = metadata.get(&repo.alias) else {
            continue;
        };
        let packages = metadata.packages.iter();
        let packages = packages.filter(|package| fits_machine(package, &machine));
        offers.extend(packages.map(|package| Offer {
            package: std::sync::Arc::clone(package),
            repository: repo.alias.clone(),
        }));
    }
    let here = invocation.host(|host| {
        let all = host.packages.installed.values();
        let all = all.filter(|one| one.state != State::ConfigFiles);
        all.map(|one| {
            let here = Here {
                package: std::sync::Arc::clone(&one.package),
                is_automatic: one.is_automatic,
            };
            (one.package.name.clone(), here)
        })
        .collect()
    });
    Pool { here, offers }
}

pub(super) async fn run(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let (repos, metadata, has_failed) = repository::ready(invocation, wishes).await;
    if !wishes.is_quiet {
        invocation.print("Loading repository data...\nReading installed packages...\n");
    }
    let pool = pool(invocation, &repos, &metadata);
    let status = match wishes.command.as_str() {
        "search" => search(invocation, wishes, &pool),
        "info" => info(invocation, wishes, &pool),
        _ => updates(invocation, &pool),
    };
    match (status, has_failed) {
        (0, true) => status::REPOS_SKIPPED,
        (status, _) => status,
    }
}

/// How zypper shows whether a package is there.
fn state(pool: &Pool, invocation: &Invocation, name: &str) -> &'static str {
    let Some(_) = pool.here.get(name) else {
        return "";
    };
    let is_automatic =
        invocation.host(|host| host.packages.get(name).is_some_and(|one| one.is_automatic));
    if is_automatic { "i" } else { "i+" }
}

fn search(invocation: &mut Invocation, wishes: &Wishes, pool: &Pool) -> u8 {
    if wishes.value("type").is_some_and(|kind| kind != "package") {
        invocation.print("No matching items found.\n");
        return status::NOT_FOUND;
    }
    let fits = |package: &Package| {
        let mut words = wishes.names.iter();
        wishes.names.is_empty()
            || words.any(|word| match word {
                word if wishes.has("provides") => meets(package, &relation(word)),
                word if wishes.has_letter(&['x']) => package.name == *word,
                word if word.contains(['*', '?']) => pattern::fits(word, &package.name),
                word => package.name.to_lowercase().contains(&word.to_lowercase()),
            })
    };
    let only_here = wishes.has_letter(&['i']);
    let only_new = wishes.has_letter(&['u']);
    let is_wanted = |name: &str| {
        let is_here = pool.here.contains_key(name);
        !(only_here && !is_here || only_new && is_here)
    };
    let shows_versions = wishes.has_letter(&['s']);
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for here in pool.here.values().filter(|one| fits(&one.package)) {
        names.insert(here.package.name.clone(), here.package.summary.clone());
    }
    for offer in pool.offers.iter().filter(|one| fits(&one.package)) {
        names.insert(offer.package.name.clone(), offer.package.summary.clone());
    }
    for (name, summary) in names.iter().filter(|(name, _)| is_wanted(name)) {
        let own = state(pool, invocation, name).to_owned();
        if !shows_versions {
            rows.push(vec![
                own,
                name.clone(),
                summary.clone(),
                "package".to_owned(),
            ]);
            continue;
        }
        let mut offers = pool.offers_of(name);
        offers.retain(|offer| fits(&offer.package));
        rows.extend(versions(pool.here.get(name), &offers, &own));
    }
    if rows.is_empty() {
        if !wishes.is_quiet {
            invocation.print("No matching items found.\n");
        }
        return status::NOT_FOUND;
    }
    let heads: &[&str] = match shows_versions {
        true => &["S", "Name", "Type", "Version", "Arch", "Repository"],
        false => &["S", "Name", "Summary", "Type"],
    };
    invocation.print(&format!("\n{}", table(heads, &rows)));
    0
}

/// Returns a line for every version of a package.
fn versions(here: Option<&Here>, offers: &[&Offer], own: &str) -> Vec<Vec<String>> {
    let is_here =
        |offer: &Offer| here.is_some_and(|here| here.package.version == offer.package.version);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for offer in offers {
        let mark = match (is_here(offer), here.is_some()) {
            (true, _) => own,
            (false, true) => "v",
            (false, false) => "",
        };
        rows.push(detailed(mark.to_owned(), &offer.package, &offer.repository));
    }
    let is_offered = offers.iter().any(|offer| is_here(offer));
    if let Some(here) = here.filter(|_| !is_offered) {
        rows.push(detailed(own.to_owned(), &here.package, "(System Packages)"));
    }
    rows
}

fn detailed(mark: String, package: &Package, repository: &str) -> Vec<String> {
    vec![
        mark,
        package.name.clone(),
        "package".to_owned(),
        package.version.clone(),
        package.architecture.clone(),
        repository.to_owned(),
    ]
}

fn info(invocation: &mut Invocation, wishes: &Wishes, pool: &Pool) -> u8 {
    invocation.print("\n");
    for word in &wishes.names {
        let here = pool.here.get(word).map(|here| &here.package);
        let offers = pool.offers_of(word);
        let newest = offers.first();
        let (package, repository) = match (newest, here) {
            (Some(offer), _) => (&offer.package, offer.repository.as_str()),
            (None, Some(package)) => (package, "@System"),
            (None, None) => {
                invocation.print(&format!("\npackage '{word}' not found.\n"));
                continue;
            }
        };
        let state = match here {
            None => "not installed".to_owned(),
            Some(own) if compare(&package.version, &own.version).is_gt() => {
                format!("out-of-date (version {} installed)", own.version)
            }
            Some(_) => "up-to-date".to_owned(),
        };
        let title = format!("Information for package {word}:");
        let (rule, plain) = ("-".repeat(title.len()), without_epoch(&package.version));
        let level = if package.vendor.starts_with("SUSE") {
            "Level 3"
        } else {
            "unknown"
        };
        let is_here = if here.is_some() { "Yes" } else { "No" };
        let size = bytes(package.installed_size);
        let (arch, vendor, summary) = (&package.architecture, &package.vendor, &package.summary);
        let version = &package.version;
        invocation.print(&format!(
            "\n{title}\n{rule}\nRepository     : {repository}\nName           : {word}\nVersion        \
             : {version}\nArch           : {arch}\nVendor         : {vendor}\nSupport Level  : \
             {level}\nInstalled Size : {size}\nInstalled      : {is_here}\nStatus         : \
             {state}\nSource package : {word}-{plain}.src\nSummary        : {summary}\nDescription    \
             : \n    {summary}.\n\n"
        ));
    }
    0
}

fn updates(invocation: &mut Invocation, pool: &Pool) -> u8 {
    let mut rows = Vec::new();
    for (name, here) in &pool.here {
        if let Some(offer) = pool.update_of(name) {
            rows.push(vec![
                "v".to_owned(),
                offer.repository.clone(),
                name.clone(),
                here.package.version.clone(),
                offer.package.version.clone(),
                offer.package.architecture.clone(),
            ]);
        }
    }
    if rows.is_empty() {
        invocation.print("No updates found.\n");
        return 0;
    }
    let heads = [
        "S",
        "Repository",
        "Name",
        "Current Version",
        "Available Version",
        "Arch",
    ];
    invocation.print(&table(&heads, &rows));
    0
}

/// Returns the names that are locked.
pub(super) fn locked(invocation: &Invocation) -> Vec<String> {
    let text = invocation
        .host(|host| host.files.text(LOCKS))
        .unwrap_or_default();
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("solvable_name:"));
    lines.map(|name| name.trim().to_owned()).collect()
}

/// `addlock`, `removelock`, `locks`.
pub(super) fn locks(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let mut names = locked(invocation);
    match wishes.command.as_str() {
        "locks" => {
            if names.is_empty() {
                invocation.print("\nThere are no package locks defined.\n\n");
                return 0;
            }
            let rows = names.iter().enumerate().map(|(index, name)| {
                let cells = [(index + 1).to_string(), name.clone()];
                let [number, name] = cells;
                vec![number, name, "package".to_owned(), "(any)".to_owned()]
            });
            let rows: Vec<Vec<String>> = rows.collect();
            let text = table(&["#", "Name", "Type", "Repository"], &rows);
            invocation.print(&format!("\n{text}\n"));
            return 0;
        }
        "addlock" => {
            names.extend(wishes.names.iter().cloned());
            names.sort();
            names.dedup();
            let said = match wishes.names.len() {
                1 => "Specified lock has been successfully added.\n",
                _ => "Specified locks have been successfully added.\n",
            };
            invocation.print(said);
        }
        _ => {
            let before = names.len();
            names.retain(|name| !wishes.names.contains(name));
            let said = match before - names.len() {
                0 => "No lock has been removed.\n".to_owned(),
                1 => "1 lock has been successfully removed.\n".to_owned(),
                count => format!("{count} locks have been successfully removed.\n"),
            };
            invocation.print(&said);
        }
    }
    let stanzas = names.iter().map(|name| {
        format!("\ntype: package\nmatch_type: glob\ncase_sensitive: on\nsolvable_name: {name}\n")
    });
    let text: String = stanzas.collect();
    match invocation.write_file(LOCKS, text.into_bytes()) {
        Ok(()) => 0,
        Err(errno) => {
            invocation.complain(&format!("Can't open lock file: {LOCKS}: {errno}\n"));
            status::ZYPP
        }
    }
}
