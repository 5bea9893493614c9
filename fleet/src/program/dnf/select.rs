//! Which packages a word of a command line means.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::repository::Settings;
use super::wishes::Wishes;
use crate::packages::rpm::plan::{Here, Offer, Pool};
use crate::packages::rpm::{fits_machine, meets, relation, without_epoch};
use crate::packages::{Metadata, Package, State};
use crate::program::Invocation;
use crate::shell::pattern;

/// Where locked versions are kept.
pub(super) const LOCKS: &str = "/etc/dnf/plugins/versionlock.list";

/// Returns everything there is to choose from.
pub(super) fn pool(
    invocation: &Invocation,
    wishes: &Wishes,
    settings: &Settings,
    metadata: &BTreeMap<String, Metadata>,
) -> Pool {
    let machine = invocation.host(|host| host.hardware.machine.clone());
    let locks = locks(invocation);
    let mut of_all: Vec<&str> = settings
        .main
        .value("excludepkgs")
        .or_else(|| settings.main.value("exclude"))
        .unwrap_or_default()
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .collect();
    of_all.extend(wishes.excludes.iter().map(String::as_str));
    let mut offers = Vec::new();
    for repo in settings.enabled() {
        let Some(metadata) = metadata.get(&repo.id) else {
            continue;
        };
        let own = repo.excludes.iter().map(String::as_str);
        let excluded: Vec<&str> = of_all.iter().copied().chain(own).collect();
        let takes = |package: &&Arc<Package>| {
            let is_locked_out = locks.iter().any(|lock| {
                let is_of_it = lock_name(lock) == package.name;
                is_of_it && !lock_fits(lock, package)
            });
            fits_machine(package, &machine)
                && !is_locked_out
                && !excluded.iter().any(|word| is_meant(package, word))
        };
        let packages = metadata.packages.iter().filter(takes);
        offers.extend(packages.map(|package| Offer {
            package: Arc::clone(package),
            repository: repo.id.clone(),
        }));
    }
    let priority = |id: &str| {
        let repo = settings.repos.iter().find(|repo| repo.id == id);
        repo.map_or(99, |repo| repo.priority)
    };
    // A name is offered by those repositories only that have the best priority for it.
    let best: BTreeMap<String, u32> = offers.iter().fold(BTreeMap::new(), |mut best, offer| {
        let own = priority(&offer.repository);
        let known = best.entry(offer.package.name.clone()).or_insert(own);
        *known = (*known).min(own);
        best
    });
    offers.retain(|offer| best.get(&offer.package.name) == Some(&priority(&offer.repository)));
    Pool {
        here: here(invocation),
        offers,
    }
}

/// Returns what is installed.
pub(crate) fn here(invocation: &Invocation) -> BTreeMap<String, Here> {
    invocation.host(|host| {
        let all = host.packages.installed.values();
        let all = all.filter(|one| one.state != State::ConfigFiles);
        all.map(|one| {
            let here = Here {
                package: Arc::clone(&one.package),
                is_automatic: one.is_automatic,
            };
            (one.package.name.clone(), here)
        })
        .collect()
    })
}

/// Returns the locks of versions.
pub(super) fn locks(invocation: &Invocation) -> Vec<String> {
    let has_plugin = |host: &crate::host::Host| {
        let mut installed = host.packages.installed.keys();
        installed.any(|name| name.contains("versionlock") || name == "dnf-plugins-core")
            || host.files.exists(LOCKS)
    };
    let text = invocation.host(|host| has_plugin(host).then(|| host.files.text(LOCKS)));
    let text = text.flatten().unwrap_or_default();
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

/// Returns the name in `name-epoch:version-release.architecture`.
fn lock_name(lock: &str) -> &str {
    let end = lock.rfind('-').and_then(|at| lock[..at].rfind('-'));
    end.map_or(lock, |end| &lock[..end])
}

fn lock_fits(lock: &str, package: &Package) -> bool {
    let version = match package.version.contains(':') {
        true => package.version.clone(),
        false => format!("0:{}", package.version),
    };
    let name = format!("{}-{version}.{}", package.name, package.architecture);
    pattern::fits(lock, &name)
}

/// Whether a word is a name of a package, in one of the forms that dnf takes.
pub(super) fn is_meant(package: &Package, word: &str) -> bool {
    let plain = without_epoch(&package.version);
    let version = plain.rsplit_once('-').map_or(plain, |(version, _)| version);
    let with_epoch = match package.version.contains(':') {
        true => package.version.clone(),
        false => format!("0:{plain}"),
    };
    let (name, architecture) = (&package.name, &package.architecture);
    let forms = [
        name.clone(),
        format!("{name}-{version}"),
        format!("{name}-{plain}"),
        format!("{name}-{with_epoch}"),
        format!("{with_epoch}-{name}"),
    ];
    let fits = |form: &str| match word.contains(['*', '?', '[']) {
        true => pattern::fits(word, form),
        false => word == form,
    };
    forms
        .iter()
        .any(|form| fits(form) || fits(&format!("{form}.{architecture}")))
}

/// Returns the offers that a word means: by name, else by what they provide.
pub(super) fn offers_for<'a>(pool: &'a Pool, word: &str) -> Vec<&'a Offer> {
    let named = pool
        .offers
        .iter()
        .filter(|one| is_meant(&one.package, word));
    let mut found: Vec<&Offer> = named.collect();
    if found.is_empty() {
        let wanted = relation(word);
        let providing = pool
            .offers
            .iter()
            .filter(|one| meets(&one.package, &wanted));
        found.extend(providing);
    }
    crate::packages::rpm::plan::sort_newest_first(&mut found);
    found
}

/// Returns the installed packages that a word means.
pub(super) fn here_for<'a>(pool: &'a Pool, word: &str) -> Vec<&'a Here> {
    let named = pool
        .here
        .values()
        .filter(|one| is_meant(&one.package, word));
    let found: Vec<&Here> = named.collect();
    if !found.is_empty() {
        return found;
    }
    let wanted = relation(word);
    let providing = pool
        .here
        .values()
        .filter(|one| meets(&one.package, &wanted));
    providing.collect()
}
