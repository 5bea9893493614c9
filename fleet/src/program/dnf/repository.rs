//! The configuration of dnf: its own settings, repositories, variables; and what repositories tell.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::table::transfer;
use super::wishes::{Choice, Wishes};
use crate::files::{Credentials, Files, Follow};
use crate::packages::Metadata;
use crate::packages::rpm::repofile::{self, Section};
use crate::program::rpm::fetch::{self, Failure};
use crate::program::{Invocation, clock};
use crate::shell::pattern;

/// Where repositories are named.
pub(super) const DIRECTORY: &str = "/etc/yum.repos.d";

/// How long what a repository tells is good for.
const EXPIRY: Duration = Duration::from_secs(48 * 3600);

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repo {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) urls: Vec<String>,
    pub(super) keys: Vec<String>,
    pub(super) is_enabled: bool,
    pub(super) checks_keys: bool,
    pub(super) may_be_missing: bool,
    pub(super) excludes: Vec<String>,
    pub(super) priority: u32,
    pub(super) path: String,
}

/// The settings of dnf.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) main: Section,
    pub(super) repos: Vec<Repo>,
    /// Repositories that a command line names and nobody has.
    pub(super) unknown: Vec<(Choice, String)>,
}

impl Settings {
    /// Returns those repositories that are used.
    pub(super) fn enabled(&self) -> impl Iterator<Item = &Repo> {
        self.repos.iter().filter(|repo| repo.is_enabled)
    }
}

/// Reads the settings.
pub(super) fn read(invocation: &Invocation, wishes: &Wishes) -> Settings {
    let (files, machine) =
        invocation.host(|host| (host.files.clone(), host.hardware.machine.clone()));
    let variables = variables(invocation, &files, &machine, wishes);
    let text = files.text("/etc/dnf/dnf.conf");
    let text = text
        .or_else(|| files.text("/etc/yum.conf"))
        .unwrap_or_default();
    let main = repofile::read("/etc/dnf/dnf.conf", &text).unwrap_or_default();
    let main = main.into_iter().find(|section| section.id == "main");
    let mut main = main.unwrap_or_else(|| Section {
        id: "main".to_owned(),
        path: "/etc/dnf/dnf.conf".to_owned(),
        values: Vec::new(),
    });
    let own = wishes
        .settings
        .iter()
        .filter(|(name, _)| !name.contains('.'));
    main.values.extend(own.cloned());
    let mut repos = Vec::new();
    for section in sections(&files) {
        repos.push(repo_of(&section, &main, &variables, wishes));
    }
    let mut unknown = Vec::new();
    if wishes
        .repositories
        .iter()
        .any(|(choice, _)| *choice == Choice::Only)
    {
        for repo in &mut repos {
            repo.is_enabled = false;
        }
    }
    for (choice, id) in &wishes.repositories {
        let mut is_known = false;
        for repo in repos.iter_mut().filter(|repo| pattern::fits(id, &repo.id)) {
            is_known = true;
            repo.is_enabled = *choice != Choice::Disable;
        }
        if !is_known && id != "*" {
            unknown.push((*choice, id.clone()));
        }
    }
    Settings {
        main,
        repos,
        unknown,
    }
}

/// Reads all files that name repositories; one that makes no sense is left out.
fn sections(files: &Files) -> Vec<Section> {
    let root = Credentials::root();
    let names = files.list(DIRECTORY, &root).unwrap_or_default();
    let names = names.iter().filter(|name| name.ends_with(".repo"));
    let read = |name: &String| {
        let path = format!("{DIRECTORY}/{name}");
        let text = files.text(&path).unwrap_or_default();
        repofile::read(&path, &text).unwrap_or_default()
    };
    names.flat_map(read).collect()
}

fn repo_of(
    section: &Section,
    main: &Section,
    variables: &BTreeMap<String, String>,
    wishes: &Wishes,
) -> Repo {
    let mut section = section.clone();
    for (name, value) in &wishes.settings {
        let Some((id, name)) = name.rsplit_once('.') else {
            continue;
        };
        if pattern::fits(id, &section.id) {
            section.values.push((name.to_owned(), value.clone()));
        }
    }
    let replaced = |name: &str| {
        let value = section.value(name).unwrap_or_default();
        repofile::replace(value, variables)
    };
    let words = |name: &str| {
        let value = replaced(name);
        let words = value.split([' ', ',']).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect::<Vec<String>>()
    };
    let name = match replaced("name") {
        none if none.is_empty() => section.id.clone(),
        name => name,
    };
    let either = |name: &str, default: bool| {
        let of_all = main.says_yes(name, default);
        section.says_yes(name, of_all)
    };
    Repo {
        id: section.id.clone(),
        name,
        urls: words("baseurl"),
        keys: words("gpgkey"),
        is_enabled: section.says_yes("enabled", true),
        checks_keys: either("gpgcheck", false) && wishes.checks_keys,
        may_be_missing: either("skip_if_unavailable", false),
        excludes: [words("excludepkgs"), words("exclude")].concat(),
        priority: section
            .value("priority")
            .and_then(|text| text.parse().ok())
            .unwrap_or(99),
        path: section.path.clone(),
    }
}

/// Returns the variables that repository files may name.
fn variables(
    invocation: &Invocation,
    files: &Files,
    machine: &str,
    wishes: &Wishes,
) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut set = |name: &str, value: String| all.insert(name.to_owned(), value);
    set("basearch", machine.to_owned());
    set("arch", machine.to_owned());
    if let Some(release) = wishes.release.clone().or_else(|| release(invocation)) {
        let (major, minor) = release.split_once('.').unwrap_or((&release, ""));
        set("releasever_major", major.to_owned());
        set("releasever_minor", minor.to_owned());
        set("releasever", release);
    }
    let root = Credentials::root();
    for directory in ["/etc/yum/vars", "/etc/dnf/vars"] {
        for name in files.list(directory, &root).unwrap_or_default() {
            let text = files.text(&format!("{directory}/{name}"));
            let line = text.as_deref().and_then(|text| text.lines().next());
            all.insert(name, line.unwrap_or_default().trim().to_owned());
        }
    }
    all
}

/// Returns what the package of the release says of itself.
fn release(invocation: &Invocation) -> Option<String> {
    invocation.host(|host| {
        host.packages.installed.values().find_map(|one| {
            let mut provides = one.package.provides.iter();
            let named = |name: &str| {
                let own = provides.clone().find(|provided| provided.name == name);
                own.and_then(|own| own.version.clone())
            };
            let exact = named("system-release(releasever)");
            let found = exact.or_else(|| {
                let found = provides.find(|provided| provided.name == "system-release");
                let version = found.and_then(|own| own.version.clone());
                version.map(|(sign, text)| {
                    let major = text.split(['.', '-']).next().unwrap_or_default();
                    (sign, major.to_owned())
                })
            });
            found.map(|(_, version)| version)
        })
    })
}

/// Whether what was fetched is used as long as it is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// It may be as old as it is good for.
    Good,
    /// It is looked after again.
    New,
}

/// Fetches what repositories tell; returns it by their ids.
///
/// # Errors
///
/// Fails with the exit status where a repository that has to be there is not.
pub(super) async fn load(
    invocation: &mut Invocation,
    wishes: &Wishes,
    settings: &Settings,
    age: Age,
) -> Result<BTreeMap<String, Metadata>, u8> {
    let known = invocation.host(|host| Arc::clone(&host.packages.metadata));
    let mut found = BTreeMap::new();
    let mut ignored = Vec::new();
    for repo in settings.enabled() {
        let Some(url) = repo.urls.first() else {
            invocation.complain(&format!(
                "Error: Cannot find a valid baseurl for repo: {}\n",
                repo.id
            ));
            return Err(1);
        };
        let url = url.trim_end_matches('/');
        let now = invocation.now();
        let root = Credentials::root();
        let stat = invocation.host(|host| host.files.stat(&repo.path, Follow::Yes, &root));
        let written = stat.map_or(0, |stat| stat.modified.as_secs());
        let is_good = |one: &&Metadata| {
            // What is older than the file that names it is looked after again.
            let is_old = one.fetched.as_secs() < written;
            let is_young = now.saturating_sub(one.fetched) < EXPIRY && !is_old;
            one.url == url && (wishes.is_cached || (is_young && age == Age::Good))
        };
        if let Some(one) = known.get(&repo.id).filter(is_good) {
            found.insert(repo.id.clone(), one.clone());
            continue;
        }
        match one(invocation, wishes, repo, url).await {
            Some(metadata) => {
                found.insert(repo.id.clone(), metadata);
            }
            None if repo.may_be_missing => ignored.push(repo.id.clone()),
            None => return Err(1),
        }
    }
    if !ignored.is_empty() && !wishes.is_quiet {
        invocation.complain(&format!("Ignoring repositories: {}\n", ignored.join(", ")));
    }
    let youngest = found.values().map(|one| one.fetched).max();
    let is_root = invocation.credentials.uid == 0;
    let kept = Arc::new(found.clone());
    if is_root {
        invocation.host(|host| {
            let mut all = (*host.packages.metadata).clone();
            all.extend((*kept).clone());
            host.packages.metadata = Arc::new(all);
        });
    }
    let age = youngest.map_or(0, |youngest| (invocation.now() - youngest).as_secs());
    // What has come this very second is not worth a word.
    if let Some(youngest) = youngest.filter(|_| age > 0 && !wishes.is_quiet) {
        let since = clock::plain(youngest.as_secs());
        invocation.print(&format!(
            "Last metadata expiration check: {}:{:02}:{:02} ago on {since}.\n",
            age / 3600,
            age / 60 % 60,
            age % 60
        ));
    }
    Ok(found)
}

/// Fetches what one repository tells; says why it does not.
async fn one(
    invocation: &mut Invocation,
    wishes: &Wishes,
    repo: &Repo,
    url: &str,
) -> Option<Metadata> {
    let started = invocation.fleet.elapsed();
    let fetched = fetch::metadata(invocation, url).await;
    let time = invocation.fleet.elapsed() - started;
    let size = match &fetched {
        Ok(metadata) => 1200 + 150 * metadata.packages.len() as u64,
        Err(Failure::Status(..)) => 335,
        Err(Failure::Curl(..)) => 0,
    };
    if !wishes.is_quiet {
        invocation.print(&transfer(&repo.name, size, time));
    }
    let failure = match fetched {
        Ok(metadata) => return Some(metadata),
        Err(failure) => failure,
    };
    let id = &repo.id;
    let address = format!("{url}/repodata/repomd.xml");
    let said = match &failure {
        Failure::Status(status, from) => {
            format!("Status code: {status} for {address} (IP: {from})")
        }
        Failure::Curl(number, words, said) => {
            format!("Curl error ({number}): {words} for {address} [{said}]")
        }
    };
    if !wishes.is_quiet {
        invocation.complain(&format!(
            "Errors during downloading metadata for repository '{id}':\n  - {said}\n"
        ));
    }
    invocation.complain(&format!(
        "Error: Failed to download metadata for repo '{id}': Cannot download repomd.xml: Cannot \
         download repodata/repomd.xml: All mirrors were tried\n"
    ));
    None
}
