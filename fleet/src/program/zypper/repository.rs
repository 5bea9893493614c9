//! The repositories of zypper: `repos`, `addrepo`, `removerepo`, `modifyrepo`, `refresh`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Wishes, status, table};
use crate::files::{Credentials, Files};
use crate::packages::rpm::repofile::{self, Section};
use crate::packages::{Metadata, Signature};
use crate::program::rpm::fetch::{self, Failure, Verdict};
use crate::program::rpm::keys;
use crate::program::{Invocation, clock, gpg};

/// Where repositories are named.
pub(super) const DIRECTORY: &str = "/etc/zypp/repos.d";

/// How long zypper does not look again after a refresh.
const DELAY: Duration = Duration::from_secs(600);

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repo {
    pub(super) alias: String,
    pub(super) name: String,
    pub(super) url: String,
    pub(super) key: String,
    pub(super) is_enabled: bool,
    pub(super) refreshes: bool,
    pub(super) checks_keys: bool,
    pub(super) priority: u32,
    pub(super) path: String,
}

/// Reads all repositories, by their aliases.
pub(super) fn read(invocation: &Invocation) -> Vec<Repo> {
    let (files, machine) =
        invocation.host(|host| (host.files.clone(), host.hardware.machine.clone()));
    let variables = variables(&files, &machine);
    let root = Credentials::root();
    let mut all = Vec::new();
    for file in files.list(DIRECTORY, &root).unwrap_or_default() {
        let path = format!("{DIRECTORY}/{file}");
        let text = files.text(&path).filter(|_| file.ends_with(".repo"));
        let sections = repofile::read(&path, &text.unwrap_or_default());
        let sections = sections.unwrap_or_default();
        all.extend(sections.iter().map(|section| repo_of(section, &variables)));
    }
    all.sort_by(|one: &Repo, other: &Repo| one.alias.cmp(&other.alias));
    all
}

fn repo_of(section: &Section, variables: &BTreeMap<String, String>) -> Repo {
    let value = |name: &str| {
        let text = section.value(name).unwrap_or_default();
        repofile::replace(text, variables)
    };
    let name = match value("name") {
        none if none.is_empty() => section.id.clone(),
        name => name,
    };
    Repo {
        alias: section.id.clone(),
        name,
        url: value("baseurl").trim_end_matches('/').to_owned(),
        key: value("gpgkey"),
        is_enabled: section.says_yes("enabled", true),
        refreshes: section.says_yes("autorefresh", false),
        checks_keys: section.says_yes("gpgcheck", true),
        priority: section
            .value("priority")
            .and_then(|text| text.parse().ok())
            .unwrap_or(99),
        path: section.path.clone(),
    }
}

/// Returns the variables that repository files may name.
fn variables(files: &Files, machine: &str) -> BTreeMap<String, String> {
    let text = files.text("/etc/products.d/SLES.prod").unwrap_or_default();
    let version = text
        .split_once("<version>")
        .and_then(|(_, rest)| rest.split_once('<'));
    let version = version.map_or("", |(version, _)| version);
    let (major, minor) = version.split_once('.').unwrap_or((version, ""));
    let mut all = BTreeMap::new();
    let rows = [
        ("basearch", machine),
        ("arch", machine),
        ("releasever", version),
        ("releasever_major", major),
        ("releasever_minor", minor),
    ];
    for (name, value) in rows {
        all.insert(name.to_owned(), value.to_owned());
    }
    let root = Credentials::root();
    let directory = "/etc/zypp/vars.d";
    for name in files.list(directory, &root).unwrap_or_default() {
        let text = files
            .text(&format!("{directory}/{name}"))
            .unwrap_or_default();
        let line = text.lines().next().unwrap_or_default().to_owned();
        all.insert(name, line);
    }
    all
}

/// Says what zypper has to say of priorities before it lists.
const PRIORITIES: &str =
    "Repository priorities are without effect. All enabled repositories share the same priority.\n";

fn say_priorities(invocation: &mut Invocation, wishes: &Wishes, repos: &[Repo]) {
    let mut enabled = repos.iter().filter(|repo| repo.is_enabled);
    let first = enabled.next().map(|repo| repo.priority);
    if !wishes.is_quiet && enabled.all(|repo| Some(repo.priority) == first) {
        invocation.print(PRIORITIES);
    }
}

fn yes(is: bool) -> &'static str {
    if is { "Yes" } else { "No" }
}

/// How the column of signatures shows a repository.
fn check(invocation: &Invocation, repo: &Repo) -> String {
    if !repo.is_enabled {
        return "----".to_owned();
    }
    if !repo.checks_keys {
        return "(  ) No".to_owned();
    }
    let known = invocation.host(|host| host.packages.metadata.get(&repo.alias).cloned());
    let is_known = known.is_some_and(|known| known.url == repo.url);
    format!("{} Yes", if is_known { "(r )" } else { "( p)" })
}

/// `zypper repos`.
pub(super) fn list(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let all = read(invocation);
    if !wishes.names.is_empty() {
        return details(invocation, wishes, &all);
    }
    if all.is_empty() {
        let said = "No repositories defined. Use the 'zypper addrepo' command to add one or more \
                    repositories.\n";
        invocation.print(said);
        return status::NO_REPOS;
    }
    let has = |letters: &[char]| wishes.has_letter(letters);
    let shows_all = has(&['d']);
    if !shows_all && !has(&['p']) {
        say_priorities(invocation, wishes, &all);
    }
    let mut heads = vec!["#", "Alias", "Name", "Enabled", "GPG Check", "Refresh"];
    if shows_all || has(&['p', 'P']) {
        heads.push("Priority");
    }
    if shows_all {
        heads.push("Type");
    }
    if shows_all || has(&['u']) {
        heads.push("URI");
    }
    if shows_all {
        heads.push("Service");
    }
    let shown: Vec<&Repo> = all
        .iter()
        .filter(|repo| repo.is_enabled || !has(&['E']))
        .collect();
    let mut rows = Vec::new();
    for (index, repo) in shown.iter().enumerate() {
        let state = |is: bool| match repo.is_enabled {
            true => yes(is).to_owned(),
            false => "----".to_owned(),
        };
        let mut row = vec![
            (index + 1).to_string(),
            repo.alias.clone(),
            repo.name.clone(),
            yes(repo.is_enabled).to_owned(),
            check(invocation, repo),
            state(repo.refreshes),
        ];
        if heads.contains(&"Priority") {
            row.push(format!("{:>4}", repo.priority));
        }
        if heads.contains(&"Type") {
            let known = invocation.host(|host| host.packages.metadata.contains_key(&repo.alias));
            row.push(if known { "rpm-md" } else { "NONE" }.to_owned());
        }
        if heads.contains(&"URI") {
            row.push(repo.url.clone());
        }
        if heads.contains(&"Service") {
            row.push(String::new());
        }
        rows.push(row);
    }
    let text = table::table(&heads, &rows);
    let gap = if shows_all || has(&['p']) { "" } else { "\n" };
    invocation.print(&format!("{gap}{text}"));
    0
}

fn details(invocation: &mut Invocation, wishes: &Wishes, all: &[Repo]) -> u8 {
    for word in &wishes.names {
        let Some(repo) = find(all, word) else {
            unknown(invocation, word);
            return status::INVALID_ARGUMENTS;
        };
        let known = invocation.host(|host| host.packages.metadata.get(&repo.alias).cloned());
        let known = known.filter(|known| known.url == repo.url);
        let kind = if known.is_some() { "rpm-md" } else { "NONE" };
        let on = if repo.refreshes { "On" } else { "Off" };
        let (alias, name, url) = (&repo.alias, &repo.name, &repo.url);
        let usual = if repo.priority == 99 {
            " (default priority)"
        } else {
            ""
        };
        let text = format!(
            "Alias          : {alias}\nName           : {name}\nURI            : {url}\nEnabled        : \
             {}\nGPG Check      : {}\nPriority       : {}{usual}\nAutorefresh    : {on}\nKeep Packages  \
             : Off\nType           : {kind}\nGPG Key URI    : {}\nPath Prefix    : \nParent Service : \n\
             Keywords       : ---\nRepo Info Path : {}\n",
            yes(repo.is_enabled),
            check(invocation, repo),
            repo.priority,
            repo.key,
            repo.path,
        );
        invocation.print(&text);
    }
    0
}

/// Finds a repository by alias, number or address.
fn find<'a>(all: &'a [Repo], word: &str) -> Option<&'a Repo> {
    let number = word.parse::<usize>().ok();
    let by_number = number.and_then(|number| all.get(number.checked_sub(1)?));
    all.iter()
        .find(|repo| repo.alias == word || repo.url == word || repo.name == word)
        .or(by_number)
}

fn unknown(invocation: &mut Invocation, word: &str) {
    invocation.complain(&format!(
        "Repository '{word}' not found by its alias, number, or URI.\n"
    ));
    invocation.print("Use 'zypper repos' to get the list of defined repositories.\n");
}

/// `zypper addrepo URI ALIAS`.
pub(super) fn add(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let [url, alias] = &wishes.names[..] else {
        invocation.complain("Too few arguments.\n");
        return status::INVALID_ARGUMENTS;
    };
    let (refreshes, name) = (wishes.has_letter(&['f']), wishes.value("name"));
    let name = name.unwrap_or(alias).to_owned();
    invocation.print(&format!("Adding repository '{name}' ["));
    if read(invocation).iter().any(|repo| repo.alias == *alias) {
        invocation.print(".error]\n");
        invocation.complain(&format!(
            "Repository named '{alias}' already exists. Please use another alias.\n"
        ));
        return status::ZYPP;
    }
    let mut text = format!("[{alias}]\n");
    if name != *alias {
        text.push_str(&format!("name={name}\n"));
    }
    let enabled = u8::from(!wishes.has_letter(&['d']));
    let auto = u8::from(refreshes);
    text.push_str(&format!(
        "enabled={enabled}\nautorefresh={auto}\nbaseurl={url}\n"
    ));
    if let Some(priority) = wishes.value("priority") {
        text.push_str(&format!("priority={priority}\n"));
    }
    if wishes.has_letter(&['G']) {
        text.push_str("gpgcheck=0\n");
    }
    let path = format!("{DIRECTORY}/{alias}.repo");
    if let Err(errno) = invocation.write_file(&path, text.into_bytes()) {
        invocation.print(".error]\n");
        invocation.complain(&format!("Can't open file '{path}' for writing: {errno}\n"));
        return status::ZYPP;
    }
    let all = read(invocation);
    let Some(repo) = find(&all, alias) else {
        return status::ZYPP;
    };
    let usual = if repo.priority == 99 {
        " (default priority)"
    } else {
        ""
    };
    let text = format!(
        ".done]\nRepository '{name}' successfully added\n\nURI         : {}\nEnabled     : {}\nGPG \
         Check   : {}\nAutorefresh : {}\nPriority    : {}{usual}\n\n",
        repo.url,
        yes(repo.is_enabled),
        yes(repo.checks_keys),
        yes(repo.refreshes),
        repo.priority
    );
    invocation.print(&text);
    say_priorities(invocation, wishes, &all);
    0
}

/// `zypper removerepo ALIAS...`
pub(super) fn remove(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let all = read(invocation);
    for word in &wishes.names {
        let Some(repo) = find(&all, word) else {
            invocation.complain(&format!(
                "Repository '{word}' not found by alias, number or URI.\n"
            ));
            continue;
        };
        let text = invocation.host(|host| host.files.text(&repo.path));
        let left = without(&text.unwrap_or_default(), &repo.alias);
        let (root, now) = (Credentials::root(), invocation.now());
        let done = match left.trim().is_empty() {
            true => invocation.host(|host| host.files.remove_file(&repo.path, &root, now)),
            false => invocation.write_file(&repo.path, left.into_bytes()),
        };
        let name = &repo.name;
        if let Err(errno) = done {
            invocation.complain(&format!("Can't delete '{}': {errno}\n", repo.path));
            return status::ZYPP;
        }
        invocation.host(|host| {
            Arc::make_mut(&mut host.packages.metadata).remove(&repo.alias);
        });
        invocation.print(&format!(
            "Removing repository '{name}' [.done]\nRepository '{name}' has been removed.\n"
        ));
    }
    0
}

/// Returns the text of a file without one of its sections.
fn without(text: &str, alias: &str) -> String {
    let mut is_inside = false;
    let kept = text.lines().filter(|line| {
        if line.trim().starts_with('[') {
            is_inside = line.trim() == format!("[{alias}]");
        }
        !is_inside
    });
    kept.map(|line| format!("{line}\n")).collect()
}

/// `zypper modifyrepo`.
pub(super) fn modify(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let all = read(invocation);
    for word in &wishes.names {
        let Some(repo) = find(&all, word) else {
            invocation.complain(&format!("Repository {word} not found.\n"));
            return status::INVALID_ARGUMENTS;
        };
        let alias = &repo.alias;
        let mut changes: Vec<(&str, String, String)> = Vec::new();
        let mut change = |name: &'static str, value: &str, said: String| {
            changes.push((name, value.to_owned(), said));
        };
        let has = |letter: char| wishes.has_letter(&[letter]);
        if has('e') && !repo.is_enabled {
            let said = format!("Repository '{alias}' has been successfully enabled.\n");
            change("enabled", "1", said);
        }
        if has('d') && repo.is_enabled {
            let said = format!("Repository '{alias}' has been successfully disabled.\n");
            change("enabled", "0", said);
        }
        if has('f') && !repo.refreshes {
            let said = format!("Autorefresh has been enabled for repository '{alias}'.\n");
            change("autorefresh", "1", said);
        }
        if has('F') && repo.refreshes {
            let said = format!("Autorefresh has been disabled for repository '{alias}'.\n");
            change("autorefresh", "0", said);
        }
        if has('g') && !repo.checks_keys {
            let said = format!("GPG check has been enabled for repository '{alias}'.\n");
            change("gpgcheck", "1", said);
        }
        if has('G') && repo.checks_keys {
            let said = format!("GPG check has been disabled for repository '{alias}'.\n");
            change("gpgcheck", "0", said);
        }
        if let Some(priority) = wishes.value("priority") {
            let said = format!("Repository '{alias}' priority has been set to {priority}.\n");
            change("priority", priority, said);
        }
        if let Some(name) = wishes.value("name") {
            let said = format!("Name of the repository '{alias}' has been set to '{name}'.\n");
            change("name", name, said);
        }
        if changes.is_empty() {
            invocation.print(&format!("Nothing to change for repository '{alias}'.\n"));
            continue;
        }
        let text = invocation.host(|host| host.files.text(&repo.path));
        let mut text = text.unwrap_or_default();
        for (name, value, said) in &changes {
            text = repofile::set(&text, alias, name, value);
            invocation.print(said);
        }
        if let Err(errno) = invocation.write_file(&repo.path, text.into_bytes()) {
            invocation.complain(&format!("Can't open file '{}': {errno}\n", repo.path));
            return status::ZYPP;
        }
    }
    0
}

/// `zypper refresh`.
pub(super) async fn refresh(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let all = read(invocation);
    let mut chosen: Vec<Repo> = Vec::new();
    let mut is_unknown = false;
    for word in &wishes.names {
        match find(&all, word) {
            Some(repo) => chosen.push(repo.clone()),
            None => {
                is_unknown = true;
                unknown(invocation, word);
            }
        }
    }
    if is_unknown {
        invocation.complain(
            "Some of the repositories have not been refreshed because they were not known.\n",
        );
        return status::INVALID_ARGUMENTS;
    }
    let is_specified = !wishes.names.is_empty();
    if !is_specified {
        chosen = all.into_iter().filter(|repo| repo.is_enabled).collect();
    }
    if chosen.is_empty() {
        invocation.complain("There are no enabled repositories defined.\n");
        return status::NO_REPOS;
    }
    if wishes.has_letter(&['f']) && !wishes.is_quiet {
        invocation.print("Forcing raw metadata refresh\n");
    }
    let mut failed = 0;
    for repo in &chosen {
        if !update(invocation, wishes, repo, wishes.has_letter(&['f'])).await {
            invocation.complain(&format!(
                "Skipping repository '{}' because of the above error.\n",
                repo.alias
            ));
            failed += 1;
        }
    }
    if failed == 0 {
        let which = if is_specified { "Specified" } else { "All" };
        if !wishes.is_quiet {
            invocation.print(&format!("{which} repositories have been refreshed.\n"));
        }
        return 0;
    }
    invocation.complain(match failed == chosen.len() {
        true => "Could not refresh the repositories because of errors.\n",
        false => "Some of the repositories have not been refreshed because of an error.\n",
    });
    status::ZYPP
}

/// Fetches what a repository tells, where it is not what is known; says why it cannot.
async fn update(
    invocation: &mut Invocation,
    wishes: &Wishes,
    repo: &Repo,
    is_forced: bool,
) -> bool {
    let known = invocation.host(|host| host.packages.metadata.get(&repo.alias).cloned());
    let known = known.filter(|known| known.url == repo.url);
    let found = fetch::metadata(invocation, &repo.url).await;
    let (alias, name) = (&repo.alias, &repo.name);
    let is_same = |found: &Metadata| {
        let known = known.as_ref();
        known.is_some_and(|known| Arc::ptr_eq(&known.packages, &found.packages))
    };
    let say = |invocation: &mut Invocation, text: String| {
        if !wishes.is_quiet {
            invocation.print(&text);
        }
    };
    match found {
        Ok(found) if is_same(&found) && !is_forced => {
            keep(invocation, alias, found);
            say(invocation, format!("Repository '{name}' is up to date.\n"));
            true
        }
        Ok(found) => {
            say(
                invocation,
                format!("Retrieving repository '{name}' metadata [."),
            );
            if !is_trusted(invocation, wishes, repo, &found) {
                say(invocation, "error]\n".to_owned());
                invalid(
                    invocation,
                    wishes,
                    repo,
                    " - Signature verification failed for repomd.xml\n - \
                     Can't provide /repodata/repomd.xml\n",
                );
                return false;
            }
            keep(invocation, alias, found);
            let forcing = if is_forced {
                "Forcing building of repository cache\n"
            } else {
                ""
            };
            say(
                invocation,
                format!("done]\n{forcing}Building repository '{name}' cache [.done]\n"),
            );
            true
        }
        Err(failure) => {
            say(
                invocation,
                format!("Retrieving repository '{name}' metadata [.error]\n"),
            );
            let history = history(repo, &failure);
            invalid(invocation, wishes, repo, &history);
            false
        }
    }
}

fn keep(invocation: &Invocation, alias: &str, metadata: Metadata) {
    invocation.host(|host| {
        Arc::make_mut(&mut host.packages.metadata).insert(alias.to_owned(), metadata);
    });
}

fn history(repo: &Repo, failure: &Failure) -> String {
    let (alias, url) = (&repo.alias, &repo.url);
    match failure {
        Failure::Status(503, _) => format!(
            " - [|] Error trying to read from '{url}'\n - Location '{url}/content' is temporarily \
             unaccessible.\n"
        ),
        Failure::Status(..) => {
            format!(" - [{alias}|{url}] Repository type can't be determined.\n")
        }
        Failure::Curl(_, _, said) => format!(
            " - [|] Error trying to read from '{url}'\n - {}",
            download_error(&format!("{url}/content"), said)
        ),
    }
}

fn download_error(address: &str, said: &str) -> String {
    format!(
        "Download (curl) error for '{address}':\nError code: Connection failed\nError message: \
         {said}\n\n"
    )
}

fn invalid(invocation: &mut Invocation, wishes: &Wishes, repo: &Repo, history: &str) {
    let (alias, url) = (&repo.alias, &repo.url);
    invocation.complain(&format!(
        "Repository '{alias}' is invalid.\n[{alias}|{url}] Valid metadata not found at specified \
         URL\nHistory:\n{history}\n"
    ));
    if !wishes.is_quiet {
        invocation.complain(
            "Please check if the URIs defined for this repository are pointing to a valid \
             repository.\n",
        );
    }
}

/// Whether what a repository tells is signed by a key that the host has, or may take up.
fn is_trusted(
    invocation: &mut Invocation,
    wishes: &Wishes,
    repo: &Repo,
    metadata: &Metadata,
) -> bool {
    if !repo.checks_keys || wishes.skips_keys {
        return true;
    }
    match fetch::judge(invocation, metadata) {
        Verdict::Good => return true,
        Verdict::Unsigned => return wishes.skips_keys,
        Verdict::Unknown if metadata.signature == Signature::OtherKey => return false,
        Verdict::Unknown => {}
    }
    let key = &metadata.key;
    let groups: Vec<&str> = (0..5)
        .filter_map(|at| key.get(at * 8..at * 8 + 8))
        .collect();
    let title = match wishes.takes_keys {
        true => "Automatically importing the following key:",
        false => "New repository or package signing key received:",
    };
    let text = format!(
        "\n\n{title}\n\n  Repository:       {}\n  Key Name:         {}\n  Key Fingerprint:  {}\n  Key \
         Created:      {}\n  Key Expires:      (does not expire)\n  Rpm Name:         {}\n\n\n",
        repo.name,
        gpg::OWNER,
        groups.join(" "),
        clock::plain(0x6b08_69a9),
        keys::name_of(key)
    );
    invocation.print(&text);
    if wishes.takes_keys {
        keys::trust(invocation, key);
        return true;
    }
    let answer =
        "Do you want to reject the key, trust temporarily, or trust always? [r/t/a/?] (r): ";
    invocation.print(&format!("{answer}r\n"));
    false
}

/// Refreshes before packages are looked at; returns what is known, and whether something failed.
pub(super) async fn ready(
    invocation: &mut Invocation,
    wishes: &Wishes,
) -> (Vec<Repo>, BTreeMap<String, Metadata>, bool) {
    let enabled: Vec<Repo> = read(invocation)
        .into_iter()
        .filter(|repo| repo.is_enabled)
        .collect();
    let mut has_failed = false;
    for repo in &enabled {
        let known = invocation.host(|host| host.packages.metadata.get(&repo.alias).cloned());
        let known = known.filter(|known| known.url == repo.url);
        let now = invocation.now();
        let is_young = |known: &Metadata| now.saturating_sub(known.fetched) < DELAY;
        let is_good = known
            .as_ref()
            .is_some_and(|known| !repo.refreshes || is_young(known));
        let is_root = invocation.credentials.uid == 0;
        if is_good || !is_root || wishes.keeps_metadata {
            if known.is_none() && is_root {
                has_failed = true;
                say_unbuilt(invocation, repo).await;
                skip(invocation, wishes, repo);
            }
            continue;
        }
        let quiet = Wishes {
            is_quiet: wishes.is_quiet || known.is_some(),
            ..wishes.clone()
        };
        if !update(invocation, &quiet, repo, false).await {
            has_failed = true;
            skip(invocation, wishes, repo);
        }
    }
    let all = invocation.host(|host| Arc::clone(&host.packages.metadata));
    let used = all.iter().filter(|(alias, one)| {
        enabled
            .iter()
            .any(|repo| repo.alias == **alias && repo.url == one.url)
    });
    let used = used
        .map(|(alias, one)| (alias.clone(), one.clone()))
        .collect();
    (enabled, used, has_failed)
}

/// Says why there is no cache of a repository that was never fetched, and is not to be refreshed.
async fn say_unbuilt(invocation: &mut Invocation, repo: &Repo) {
    let (alias, url) = (&repo.alias, &repo.url);
    let history = match fetch::metadata(invocation, url).await {
        Err(Failure::Curl(_, _, said)) => {
            let error = download_error(&format!("{url}/repodata/repomd.xml"), &said);
            invocation.complain(&error);
            invocation.print("Abort, retry, ignore? [a/r/i/...? shows all options] (a): a\n");
            format!(
                " - Unknown error reading from '{url}'\n - ABORT request: Aborting requested by \
                 user\n - {error}"
            )
        }
        _ => format!(" - [{alias}|{url}] Repository type can't be determined.\n"),
    };
    invocation.complain(&format!(
        "Error building the cache:\n[{alias}|{url}] Valid metadata not found at specified \
         URL\nHistory:\n{history}\n"
    ));
}

fn skip(invocation: &mut Invocation, wishes: &Wishes, repo: &Repo) {
    if !wishes.is_quiet {
        let name = &repo.name;
        invocation.print(&format!(
            "Warning: Skipping repository '{name}' because of the above error.\n"
        ));
    }
}

/// `zypper clean`.
pub(super) fn clean(invocation: &mut Invocation) -> u8 {
    invocation.host(|host| host.packages.metadata = Arc::default());
    invocation.print("All repositories have been cleaned up.\n");
    0
}
