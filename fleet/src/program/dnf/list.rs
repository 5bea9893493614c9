//! Commands of dnf that only look.

use std::collections::BTreeMap;

use super::repository::{self, Settings};
use super::select::{here_for, is_meant, offers_for, pool};
use super::table::{self, WIDTH, number};
use super::transaction::origin;
use super::wishes::Wishes;
use crate::packages::Package;
use crate::packages::rpm::plan::Pool;
use crate::packages::rpm::version::compare;
use crate::packages::rpm::{capabilities, meets, needs, nvra, relation, show, without_epoch};
use crate::program::Invocation;
use crate::shell::pattern;

/// A package in a list, with where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    package: std::sync::Arc<Package>,
    repository: String,
}

pub(super) async fn run(invocation: &mut Invocation, wishes: &Wishes, settings: &Settings) -> u8 {
    let only_here =
        wishes.has("--installed") || wishes.names.first().is_some_and(|word| word == "installed");
    let metadata = match wishes.command.as_str() {
        "list" | "info" | "repoquery" if only_here => BTreeMap::new(),
        _ => match repository::load(invocation, wishes, settings, wishes.age()).await {
            Ok(metadata) => metadata,
            Err(status) => return status,
        },
    };
    let pool = pool(invocation, wishes, settings, &metadata);
    match wishes.command.as_str() {
        "list" | "info" => list(invocation, wishes, &pool),
        "repoquery" => repoquery(invocation, wishes, &pool),
        "search" => search(invocation, wishes, &pool),
        "provides" => provides(invocation, wishes, &pool),
        _ => check_update(invocation, wishes, &pool),
    }
}

/// `dnf repolist`.
pub(super) fn repositories(
    invocation: &mut Invocation,
    wishes: &Wishes,
    settings: &Settings,
) -> u8 {
    let first = wishes.names.first().map(String::as_str);
    let wanted = match first {
        Some("all") => "all",
        Some("enabled") => "enabled",
        Some("disabled") => "disabled",
        _ if wishes.has("--all") => "all",
        _ if wishes.has("--disabled") => "disabled",
        _ => "enabled",
    };
    let repos = settings.repos.iter().filter(|repo| match wanted {
        "all" => true,
        "disabled" => !repo.is_enabled,
        _ => repo.is_enabled,
    });
    let mut repos: Vec<&repository::Repo> = repos.collect();
    repos.sort_by(|one, other| one.id.cmp(&other.id));
    if settings.repos.is_empty() {
        invocation.complain("No repositories available\n");
        return 0;
    }
    if repos.is_empty() {
        return 0;
    }
    let shows_state = wanted == "all";
    let widest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    let mut id_width = widest(&mut repos.iter().map(|repo| repo.id.len())).max("repo id".len());
    let mut name_width = widest(&mut repos.iter().map(|repo| repo.name.len()));
    let state = |repo: &repository::Repo| {
        if repo.is_enabled {
            "enabled"
        } else {
            "disabled"
        }
    };
    let state_width = match shows_state {
        true => widest(&mut repos.iter().map(|repo| state(repo).len())) + 2,
        false => 1,
    };
    let mut left = WIDTH.saturating_sub(id_width + state_width);
    if left < name_width {
        name_width = left;
    } else {
        left -= name_width;
        id_width += left / 2;
        name_width += left - left / 2;
    }
    let mut text = match shows_state {
        true => format!(
            "{:<id_width$} {:<name_width$} status\n",
            "repo id", "repo name"
        ),
        false => format!("{:<id_width$} repo name\n", "repo id"),
    };
    for repo in repos {
        let (id, name) = (&repo.id, &repo.name);
        text.push_str(&match shows_state {
            true => format!(
                "{id:<id_width$} {name:<name_width$.name_width$} {}\n",
                state(repo)
            ),
            false => format!("{id:<id_width$} {name}\n"),
        });
    }
    invocation.print(&text);
    0
}

/// `dnf history userinstalled`: what somebody has asked for.
pub(super) fn history(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    if wishes.names != ["userinstalled"] {
        return invocation.not_simulated("history but for userinstalled");
    }
    let names = invocation.host(|host| {
        let all = host.packages.installed.values();
        let asked = all.filter(|one| !one.is_automatic && !one.origin.is_empty());
        asked
            .map(|one| crate::packages::rpm::nevra(&one.package))
            .collect::<Vec<_>>()
    });
    let lines: String = names.iter().map(|name| format!("{name}\n")).collect();
    let head = if wishes.is_quiet {
        ""
    } else {
        "Packages installed by user\n"
    };
    invocation.print(&format!("{head}{lines}"));
    0
}

/// Returns what is installed and what is offered, as far as the words mean it.
fn chosen(invocation: &Invocation, wishes: &Wishes, pool: &Pool) -> (Vec<Row>, Vec<Row>) {
    let mut words: Vec<&str> = wishes.names.iter().map(String::as_str).collect();
    let mut wanted = "all";
    let kinds = [
        "installed",
        "available",
        "all",
        "updates",
        "upgrades",
        "extras",
    ];
    if let Some(word) = words.first().filter(|word| kinds.contains(word)) {
        wanted = word;
        words.remove(0);
    }
    for kind in kinds {
        if wishes.has(&format!("--{kind}")) {
            wanted = kind;
        }
    }
    let is_wanted =
        |package: &Package| words.is_empty() || words.iter().any(|word| is_meant(package, word));
    let here = pool.here.values().filter(|one| is_wanted(&one.package));
    let here = here.map(|one| Row {
        package: std::sync::Arc::clone(&one.package),
        repository: origin(invocation, &one.package.name),
    });
    let all = pool.offers.iter().filter(|one| is_wanted(&one.package));
    let is_best = |one: &&crate::packages::rpm::plan::Offer| {
        let best = pool.offers_of(&one.package.name);
        wishes.has("--showduplicates")
            || best
                .first()
                .is_some_and(|best| best.package.version == one.package.version)
    };
    let is_new = |one: &&crate::packages::rpm::plan::Offer| {
        let here = pool.here.get(&one.package.name);
        let order = here.map(|here| compare(&one.package.version, &here.package.version));
        match wanted {
            "updates" | "upgrades" => order.is_some_and(std::cmp::Ordering::is_gt),
            _ if wishes.has("--showduplicates") => order.is_none_or(std::cmp::Ordering::is_ne),
            _ => order.is_none_or(std::cmp::Ordering::is_gt),
        }
    };
    let offered = all.filter(is_best).filter(is_new).map(|one| Row {
        package: std::sync::Arc::clone(&one.package),
        repository: one.repository.clone(),
    });
    let here: Vec<Row> = match wanted {
        "available" | "updates" | "upgrades" => Vec::new(),
        "extras" => here
            .filter(|row| pool.offers_of(&row.package.name).is_empty())
            .collect(),
        _ => here.collect(),
    };
    let mut offered: Vec<Row> = match wanted {
        "installed" | "extras" => Vec::new(),
        _ => offered.collect(),
    };
    offered.sort_by(|one, other| {
        let order = compare(&one.package.version, &other.package.version);
        one.package.name.cmp(&other.package.name).then(order)
    });
    (here, offered)
}

fn list(invocation: &mut Invocation, wishes: &Wishes, pool: &Pool) -> u8 {
    let (here, offered) = chosen(invocation, wishes, pool);
    if here.is_empty() && offered.is_empty() {
        if wishes.names.is_empty() {
            return 0;
        }
        invocation.complain("Error: No matching Packages to list\n");
        return 1;
    }
    let is_upgrade = wishes.has("--upgrades") || wishes.has("--updates");
    let second = if is_upgrade {
        "Available Upgrades"
    } else {
        "Available Packages"
    };
    if wishes.command == "info" {
        let mut text = String::new();
        for (title, rows) in [("Installed Packages", &here), (second, &offered)] {
            if !rows.is_empty() {
                let all: Vec<String> = rows.iter().map(|row| info(row, pool)).collect();
                text.push_str(&format!("{title}\n{}\n", all.join("\n")));
            }
        }
        invocation.print(&text);
        return 0;
    }
    let widths = widths(&here.iter().chain(&offered).collect::<Vec<_>>());
    let mut text = String::new();
    for (title, rows) in [("Installed Packages", &here), (second, &offered)] {
        if !rows.is_empty() {
            text.push_str(&format!("{title}\n"));
        }
        for row in rows {
            text.push_str(&line(row, &widths, ""));
        }
    }
    invocation.print(&text);
    0
}

fn widths(rows: &[&Row]) -> Vec<usize> {
    let lengths = |length: &dyn Fn(&Row) -> usize| rows.iter().map(|row| length(row)).collect();
    let cells: [Vec<usize>; 3] = [
        lengths(&|row| row.package.name.len() + row.package.architecture.len() + 1),
        lengths(&|row| row.package.version.len()),
        lengths(&|row| row.repository.len()),
    ];
    table::widths(&[1, 1, 0], &cells, 1, 0)
}

fn line(row: &Row, widths: &[usize], indent: &str) -> String {
    let name = format!("{indent}{}.{}", row.package.name, row.package.architecture);
    let cells = [name.as_str(), &row.package.version, &row.repository];
    let cells: Vec<(&str, usize)> = cells.into_iter().zip(widths.iter().copied()).collect();
    format!("{}\n", table::line(&cells, ""))
}

fn info(row: &Row, pool: &Pool) -> String {
    let package = &row.package;
    let plain = without_epoch(&package.version);
    let (version, release) = plain.rsplit_once('-').unwrap_or((plain, ""));
    let is_here = row.repository.starts_with('@');
    let mut text = format!("Name         : {}\n", package.name);
    if let Some((epoch, _)) = package.version.split_once(':') {
        text.push_str(&format!("Epoch        : {epoch}\n"));
    }
    let size = match is_here && pool.here.contains_key(&package.name) {
        true => package.installed_size,
        false => package.size,
    };
    let repository = if is_here { "@System" } else { &row.repository };
    text.push_str(&format!(
        "Version      : {version}\nRelease      : {release}\nArchitecture : {}\nSize         : \
         {}\nSource       : {}-{plain}.src.rpm\nRepository   : {repository}\n",
        package.architecture,
        number(size),
        package.name,
    ));
    if let Some(from) = row
        .repository
        .strip_prefix('@')
        .filter(|from| *from != "System")
    {
        text.push_str(&format!("From repo    : {from}\n"));
    }
    text.push_str(&format!("Summary      : {}\n", package.summary));
    if !package.url.is_empty() {
        text.push_str(&format!("URL          : {}\n", package.url));
    }
    text.push_str(&format!(
        "License      : {}\nDescription  : {}.\n",
        package.license, package.summary
    ));
    text
}

/// `dnf check-update`: 100 where there is something newer.
fn check_update(invocation: &mut Invocation, wishes: &Wishes, pool: &Pool) -> u8 {
    let is_wanted = |name: &str| {
        wishes.names.is_empty() || wishes.names.iter().any(|word| pattern::fits(word, name))
    };
    let newer: Vec<Row> = pool
        .here
        .keys()
        .filter(|name| is_wanted(name))
        .filter_map(|name| pool.update_of(name))
        .map(|offer| Row {
            package: std::sync::Arc::clone(&offer.package),
            repository: offer.repository.clone(),
        })
        .collect();
    let mut replacing: Vec<(Row, Row)> = Vec::new();
    for (name, here) in &pool.here {
        let successor = pool.successors_of(name).into_iter().next();
        let Some(offer) = successor.filter(|_| wishes.names.is_empty()) else {
            continue;
        };
        replacing.push((
            Row {
                package: std::sync::Arc::clone(&offer.package),
                repository: offer.repository.clone(),
            },
            Row {
                package: std::sync::Arc::clone(&here.package),
                repository: origin(invocation, name),
            },
        ));
    }
    if newer.is_empty() && replacing.is_empty() {
        return 0;
    }
    let mut rows: Vec<Row> = newer.clone();
    for (new, old) in &replacing {
        rows.push(new.clone());
        let mut wide = (*old.package).clone();
        wide.name = format!("    {}", wide.name);
        rows.push(Row {
            package: std::sync::Arc::new(wide),
            repository: old.repository.clone(),
        });
    }
    let widths = widths(&rows.iter().collect::<Vec<_>>());
    let mut text = String::new();
    if !newer.is_empty() {
        text.push('\n');
    }
    for row in &newer {
        text.push_str(&line(row, &widths, ""));
    }
    if !replacing.is_empty() {
        text.push_str("Obsoleting Packages\n");
    }
    for (new, old) in &replacing {
        text.push_str(&line(new, &widths, ""));
        text.push_str(&line(old, &widths, "    "));
    }
    invocation.print(&text);
    100
}

fn full_name(package: &Package) -> String {
    let version = match package.version.contains(':') {
        true => package.version.clone(),
        false => format!("0:{}", package.version),
    };
    format!("{}-{version}.{}", package.name, package.architecture)
}

/// `dnf repoquery`.
fn repoquery(invocation: &mut Invocation, wishes: &Wishes, pool: &Pool) -> u8 {
    let mut found: Vec<Row> = Vec::new();
    let row = |package: &std::sync::Arc<Package>, repository: &str| Row {
        package: std::sync::Arc::clone(package),
        repository: repository.to_owned(),
    };
    let need = wishes.value("--whatprovides").map(relation);
    let needed = wishes.value("--whatrequires");
    let fits = |package: &Package| {
        let is_named =
            wishes.names.is_empty() || wishes.names.iter().any(|word| is_meant(package, word));
        let has = need.as_ref().is_none_or(|need| meets(package, need));
        let wants = needed.is_none_or(|name| needs(package).any(|need| need.name == name));
        is_named && has && wants
    };
    if wishes.has("--installed") || wishes.has("--userinstalled") {
        let here = pool.here.values().filter(|one| fits(&one.package));
        let here = here.filter(|one| !wishes.has("--userinstalled") || !one.is_automatic);
        found.extend(here.map(|one| row(&one.package, "@System")));
    } else {
        let offers = pool.offers.iter().filter(|one| fits(&one.package));
        found.extend(offers.map(|one| row(&one.package, &one.repository)));
    }
    if let Some(count) = wishes
        .value("--latest-limit")
        .and_then(|text| text.parse().ok())
    {
        found.sort_by(|one, other| {
            let order = compare(&other.package.version, &one.package.version);
            one.package.name.cmp(&other.package.name).then(order)
        });
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        found.retain(|row| {
            let known = seen.entry(row.package.name.clone()).or_insert(0);
            *known += 1;
            *known <= count
        });
    }
    let format = wishes
        .value("--qf")
        .or_else(|| wishes.value("--queryformat"));
    let mut lines: Vec<String> = Vec::new();
    for row in &found {
        let package = &row.package;
        let listed = match format {
            _ if wishes.has("--requires") => needs(package).map(show).collect(),
            _ if wishes.has("--provides") => capabilities(package).iter().map(show).collect(),
            _ if wishes.has("--conflicts") => package.conflicts.iter().map(show).collect(),
            _ if wishes.has("--list") || wishes.has("-l") => package
                .files
                .iter()
                .map(|file| file.path().to_owned())
                .collect(),
            Some(format) => vec![formatted(row, format)],
            None if wishes.has("--name") => vec![package.name.clone()],
            None => vec![full_name(package)],
        };
        lines.extend(listed);
    }
    lines.sort();
    lines.dedup();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    invocation.print(&text);
    0
}

fn formatted(row: &Row, format: &str) -> String {
    let package = &row.package;
    let plain = without_epoch(&package.version);
    let (version, release) = plain.rsplit_once('-').unwrap_or((plain, ""));
    let epoch = package
        .version
        .split_once(':')
        .map_or("0", |(epoch, _)| epoch);
    let values = [
        ("%{name}", package.name.as_str()),
        ("%{version}", version),
        ("%{release}", release),
        ("%{arch}", &package.architecture),
        ("%{epoch}", epoch),
        ("%{evr}", &package.version),
        ("%{repoid}", &row.repository),
        ("%{reponame}", &row.repository),
        ("%{summary}", &package.summary),
        ("%{license}", &package.license),
        ("\\n", "\n"),
        ("\\t", "\t"),
    ];
    // Names of tags are those of `rpm` in small letters; `rpm`'s own are taken, too.
    values
        .iter()
        .fold(format.to_owned(), |text, (name, value)| {
            let text = text.replace(name, value);
            match name.starts_with('%') {
                true => text.replace(&name.to_uppercase(), value),
                false => text,
            }
        })
}

/// `dnf search`.
fn search(invocation: &mut Invocation, wishes: &Wishes, pool: &Pool) -> u8 {
    let mut all: BTreeMap<(String, String), String> = BTreeMap::new();
    let here = pool.here.values().map(|one| &one.package);
    for package in here.chain(pool.offers.iter().map(|one| &one.package)) {
        let key = (package.name.clone(), package.architecture.clone());
        all.insert(key, package.summary.clone());
    }
    let words = wishes.names.join(", ");
    let is_exact = |name: &str| wishes.names.iter().all(|word| name == word);
    let has = |text: &str| {
        let text = text.to_lowercase();
        wishes
            .names
            .iter()
            .all(|word| text.contains(&word.to_lowercase()))
    };
    type Fits<'a> = &'a dyn Fn(&str, &str) -> bool;
    let groups: [(&str, Fits); 4] = [
        ("Name Exactly Matched", &|name, _| is_exact(name)),
        ("Name & Summary Matched", &|name, summary| {
            !is_exact(name) && has(name) && has(summary)
        }),
        ("Name Matched", &|name, summary| {
            !is_exact(name) && has(name) && !has(summary)
        }),
        ("Summary Matched", &|name, summary| {
            !has(name) && has(summary)
        }),
    ];
    let mut text = String::new();
    for (title, fits) in groups {
        let rows: Vec<_> = all
            .iter()
            .filter(|((name, _), summary)| fits(name, summary))
            .collect();
        if rows.is_empty() {
            continue;
        }
        let head = format!(" {title}: {words} ");
        text.push_str(&format!("{head:=^WIDTH$}\n"));
        for ((name, arch), summary) in rows {
            text.push_str(&format!("{name}.{arch} : {summary}\n"));
        }
    }
    if text.is_empty() && !wishes.is_quiet {
        text = "No matches found.\n".to_owned();
    }
    invocation.print(&text);
    0
}

/// `dnf provides`.
fn provides(invocation: &mut Invocation, wishes: &Wishes, pool: &Pool) -> u8 {
    let mut text = String::new();
    for word in &wishes.names {
        let here = here_for(pool, word);
        let here = here
            .into_iter()
            .map(|one| (&one.package, "@System".to_owned()));
        let offers = offers_for(pool, word);
        let offers = offers
            .into_iter()
            .map(|one| (&one.package, one.repository.clone()));
        for (package, repository) in here.chain(offers) {
            let how = match word.starts_with('/') {
                true => format!("Filename    : {word}\n"),
                false => format!("Provide    : {}\n", show(&own(package))),
            };
            text.push_str(&format!(
                "{} : {}\nRepo        : {repository}\nMatched from:\n{how}\n",
                nvra(package),
                package.summary
            ));
        }
    }
    if text.is_empty() {
        invocation.complain(
            "Error: No matches found. If searching for a file, try specifying the full path or \
             using a wildcard prefix (\"*/\") at the beginning.\n",
        );
        return 1;
    }
    invocation.print(&text);
    0
}

fn own(package: &Package) -> crate::packages::Relation {
    crate::packages::rpm::own_capability(package)
}
