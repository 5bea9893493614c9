//! `install`, `remove`, `update`, `dist-upgrade`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::announce::{announce, order};
use super::look::{locked, pool};
use super::repository;
use super::table::wide;
use super::{Wishes, status};
use crate::packages::rpm::plan::{self, Arrival, Job, Manner, Offer, Plan, Pool, Problem, Reason};
use crate::packages::rpm::version::compare;
use crate::packages::rpm::{meets, nevra, nvra, relation};
use crate::packages::{Metadata, Package};
use crate::program::Invocation;
use crate::program::rpm::fetch::{self, Verdict};
use crate::program::rpm::work::{self, Done, Happened, Source};

pub(super) async fn run(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let is_removal = wishes.command == "remove";
    let (repos, metadata, has_failed) = match is_removal {
        true => (Vec::new(), BTreeMap::new(), false),
        false => repository::ready(invocation, wishes).await,
    };
    if !wishes.is_quiet {
        let loading = if is_removal {
            ""
        } else {
            "Loading repository data...\n"
        };
        invocation.print(&format!("{loading}Reading installed packages...\n"));
    }
    if wishes.command == "install" && invocation.is_users() {
        assume_unknown(invocation, wishes, &pool(invocation, &repos, &metadata));
    }
    let pool = pool(invocation, &repos, &metadata);
    let (jobs, mut found) = match wishes.command.as_str() {
        "install" => installs(invocation, wishes, &pool),
        "remove" => removals(invocation, wishes, &pool),
        _ => updates(invocation, wishes, &pool),
    };
    if found == status::NOT_FOUND && !is_removal {
        return found;
    }
    let status = carry_out(invocation, wishes, &repos, &metadata, &pool, &jobs).await;
    if status != 0 {
        found = status;
    }
    if found == 0 && has_failed {
        invocation
            .complain("Some of the repositories have not been refreshed because of an error.\n");
        return status::REPOS_SKIPPED;
    }
    found
}

/// Where a rehearsal may assume it, a package that nobody knows is one of the distribution.
fn assume_unknown(invocation: &mut Invocation, wishes: &Wishes, pool: &Pool) {
    for name in &wishes.names {
        let is_plain = !name.contains(['*', '/', '=', '<', '>']);
        let is_known = pool.here.contains_key(name) || !pool.offers_of(name).is_empty();
        if is_plain && !is_known {
            crate::program::rpm::assume(invocation, name);
        }
    }
}

fn say(invocation: &mut Invocation, wishes: &Wishes, text: &str) {
    if !wishes.is_quiet {
        invocation.print(&format!("{text}\n"));
    }
}

/// A word of a command line: a name, and the versions that will do.
fn wanted(word: &str) -> (String, String) {
    let at = word.find(['=', '<', '>']);
    let Some(at) = at else {
        return (word.to_owned(), word.to_owned());
    };
    let (name, rest) = word.split_at(at);
    let end = rest
        .find(|letter| !"=<>".contains(letter))
        .unwrap_or(rest.len());
    let (sign, version) = rest.split_at(end);
    (name.to_owned(), format!("{name} {sign} {version}"))
}

fn missing(invocation: &mut Invocation, wishes: &Wishes, word: &str) {
    let text = format!("'{word}' not found in package names. Trying capabilities.");
    say(invocation, wishes, &text);
    invocation.complain(&format!("No provider of '{word}' found.\n"));
}

fn installs(invocation: &mut Invocation, wishes: &Wishes, pool: &Pool) -> (Vec<Job>, u8) {
    let (mut jobs, mut status) = (Vec::new(), 0);
    for word in &wishes.names {
        let (name, need) = wanted(word);
        let need = relation(&need);
        let mut offers: Vec<&Offer> = pool.offers_of(&name);
        offers.retain(|offer| meets(&offer.package, &need));
        let is_exact = offers.is_empty();
        if is_exact {
            // The name may end with a version, or be something that packages provide.
            offers = pool
                .offers
                .iter()
                .filter(|one| is_spelt(&one.package, word))
                .collect();
        }
        // Files are no capabilities here: zypper has not loaded them when it looks.
        if offers.is_empty() && !pool.here.contains_key(&name) && !word.starts_with('/') {
            offers = pool.providers(&need);
        }
        let own = offers
            .first()
            .map_or(name.clone(), |one| one.package.name.clone());
        let here = pool
            .here
            .get(&own)
            .filter(|_| need.version.is_none() || !offers.is_empty());
        match (offers.first(), here) {
            (None, None) => {
                missing(invocation, wishes, word);
                status = status::NOT_FOUND;
            }
            (None, Some(_)) => say(
                invocation,
                wishes,
                &format!(
                    "'{word}' is already installed.\nPackage '{word}' is not available in your \
                     repositories. Cannot reinstall, upgrade, or downgrade."
                ),
            ),
            (Some(offer), None) => jobs.push(Job::Install(vec![(*offer).clone()])),
            (Some(offer), Some(here)) => {
                let is_named = own == *word;
                let job = over(invocation, wishes, pool, offer, &here.package, is_named);
                jobs.extend(job);
            }
        }
    }
    (jobs, status)
}

/// Whether a word is `name-version` or `name-version-release`, with an architecture or without.
fn is_spelt(package: &Package, word: &str) -> bool {
    let plain = nvra(package);
    let without = plain
        .rsplit_once('.')
        .map_or(plain.as_str(), |(rest, _)| rest);
    let version = without.rsplit_once('-').map_or(without, |(rest, _)| rest);
    word == plain || word == without || word == version || word == nevra(package)
}

/// Decides what becomes of a package that is there.
fn over(
    invocation: &mut Invocation,
    wishes: &Wishes,
    pool: &Pool,
    offer: &Offer,
    here: &Package,
    is_named: bool,
) -> Option<Job> {
    let order = compare(&offer.package.version, &here.version);
    let (new, old) = (nevra(&offer.package), nevra(here));
    let install = Some(Job::Install(vec![offer.clone()]));
    match order {
        std::cmp::Ordering::Equal if wishes.has_letter(&['f']) => {
            let text = format!(
                "Forcing installation of '{new}' from repository '{}'.",
                offer.repository
            );
            say(invocation, wishes, &text);
            install
        }
        std::cmp::Ordering::Greater => {
            if let Some(best) = pool.update_of(&here.name)
                && best.package.version != offer.package.version
            {
                let best = nevra(&best.package);
                let text = format!(
                    "There is an update candidate '{best}' for '{old}', but it does not match the \
                     specified version, architecture, or repository."
                );
                say(invocation, wishes, &text);
            }
            install
        }
        std::cmp::Ordering::Less if wishes.has("old") => install,
        std::cmp::Ordering::Less if !is_named => {
            let text = format!(
                "The selected package '{new}' from repository '{}' has lower version than the \
                 installed one. Use 'zypper install --oldpackage {new}' to force installation of the \
                 package.",
                offer.repository
            );
            say(invocation, wishes, &text);
            None
        }
        _ => {
            let text = format!(
                "'{}' is already installed.\nNo update candidate for '{old}'. The highest available \
                 version is already installed.",
                here.name
            );
            say(invocation, wishes, &text);
            None
        }
    }
}

fn removals(invocation: &mut Invocation, wishes: &Wishes, pool: &Pool) -> (Vec<Job>, u8) {
    let (mut jobs, mut status) = (Vec::new(), 0);
    for word in &wishes.names {
        if pool.here.contains_key(word) {
            jobs.push(Job::Remove(word.clone()));
        } else {
            missing(invocation, wishes, word);
            status = status::NOT_FOUND;
        }
    }
    (jobs, status)
}

fn updates(invocation: &mut Invocation, wishes: &Wishes, pool: &Pool) -> (Vec<Job>, u8) {
    let mut jobs = Vec::new();
    let locked = locked(invocation);
    if wishes.names.is_empty() {
        for name in pool.here.keys().filter(|name| !locked.contains(name)) {
            let successor = pool.successors_of(name).into_iter().next();
            let update = successor.or_else(|| pool.update_of(name));
            jobs.extend(update.map(|offer| Job::Install(vec![offer.clone()])));
        }
        return (jobs, 0);
    }
    let mut status = 0;
    for word in &wishes.names {
        match (pool.here.get(word), pool.update_of(word)) {
            (None, _) if pool.offers_of(word).is_empty() => {
                missing(invocation, wishes, word);
                status = status::NOT_FOUND;
            }
            (None, _) => {
                let text = format!("Package '{word}' is not installed.");
                say(invocation, wishes, &text);
            }
            (Some(_), Some(offer)) => jobs.push(Job::Install(vec![offer.clone()])),
            (Some(here), None) => {
                let text = format!(
                    "No update candidate for '{}'. The highest available version is already \
                     installed.",
                    nevra(&here.package)
                );
                say(invocation, wishes, &text);
            }
        }
    }
    (jobs, status)
}

async fn carry_out(
    invocation: &mut Invocation,
    wishes: &Wishes,
    repos: &[repository::Repo],
    metadata: &BTreeMap<String, Metadata>,
    pool: &Pool,
    jobs: &[Job],
) -> u8 {
    let is_whole =
        wishes.command == "dist-upgrade" || (wishes.command == "update" && wishes.names.is_empty());
    match wishes.command.as_str() {
        "dist-upgrade" => say(invocation, wishes, "Computing distribution upgrade..."),
        _ if is_whole => {}
        _ => say(invocation, wishes, "Resolving package dependencies..."),
    }
    let locked = locked(invocation);
    for job in jobs {
        if let Job::Remove(name) = job
            && locked.contains(name)
            && let Some(here) = pool.here.get(name)
        {
            return refuse_lock(invocation, &here.package);
        }
    }
    let manner = Manner {
        // What does not fit stays as it is where everything is brought up to date.
        is_best: !is_whole,
        may_erase: wishes.command == "remove",
        cleans: wishes.has("clean"),
    };
    let plan = match plan::plan(pool, jobs, manner) {
        Ok(plan) => plan,
        Err(problems) => return refuse(invocation, jobs, &problems),
    };
    if plan.is_empty() {
        say(invocation, wishes, "Nothing to do.");
        return 0;
    }
    announce(invocation, &plan);
    if !wishes.asks_nothing && !wishes.has_letter(&['y']) && !is_agreed(invocation).await {
        return 0;
    }
    if wishes.has("dry") {
        say_unchecked(invocation, wishes, plan.arrivals.len());
        return 0;
    }
    let grows = plan
        .arrivals
        .iter()
        .map(|one| one.offer.package.installed_size);
    if fetch::lacking(invocation, grows.sum()).is_some() {
        invocation.complain(
            "There is not enough disk space for the installation.\nNot enough space on the root file \
             system\n",
        );
        return status::COMMIT;
    }
    if let Err(status) = download(invocation, wishes, repos, metadata, &plan).await {
        return status;
    }
    change(invocation, wishes, &plan).await
}

/// Says what a dry run does not know.
fn say_unchecked(invocation: &mut Invocation, wishes: &Wishes, count: usize) {
    if wishes.is_quiet || count == 0 {
        return;
    }
    let (word, verb) = if count == 1 {
        ("package", "it is")
    } else {
        ("packages", "they are")
    };
    invocation.print(&format!(
        "\nChecking for file conflicts: [.done]\nWarning: {count} {word} had to be excluded from file \
         conflicts check because {verb} not yet download.\n\n    Note: Checking for file conflicts \
         requires not installed packages to be downloaded in advance in\n    order to access their file \
         lists. See option '--download-in-advance / --dry-run --download-only'\n    in the zypper manual \
         page for details.\n\n"
    ));
}

fn refuse_lock(invocation: &mut Invocation, package: &Package) -> u8 {
    let name = nevra(package);
    let (own, version) = (&package.name, &package.version);
    invocation.print(&format!(
        "\nProblem: conflicting requests\n Solution 1: remove lock to allow removal of {name}\n \
         Solution 2: do not ask to delete all solvables providing {own}.{} = {version}\n\nChoose from \
         above solutions by number or cancel [1/2/c/d/?] (c): c\n",
        package.architecture
    ));
    status::ZYPP
}

/// Says what is in the way; nobody chooses a way out.
fn refuse(invocation: &mut Invocation, jobs: &[Job], problems: &[Problem]) -> u8 {
    let asked = jobs.iter().find_map(|job| match job {
        Job::Install(offers) => offers.first().map(|offer| nevra(&offer.package)),
        Job::Remove(_) => None,
    });
    for problem in problems {
        let (said, solutions) = match problem {
            Problem::Missing { chain } => {
                let (package, need) = chain.last().cloned().unwrap_or_default();
                let first = chain
                    .first()
                    .map_or(package.clone(), |(first, _)| first.clone());
                (
                    format!("nothing provides {need} needed by {package}"),
                    vec![
                        format!("do not install {first}"),
                        format!("break {package} by ignoring some of its dependencies"),
                    ],
                )
            }
            Problem::Conflict {
                package,
                with,
                other,
                ..
            } => (
                format!("{package} conflicts with {with} provided by {other}"),
                vec![
                    format!("deinstallation of {other}"),
                    format!("do not install {package}"),
                ],
            ),
            Problem::InTheWay { package, need, .. } => (
                format!(
                    "the installed {package} requires '{need}', but this requirement cannot be \
                         provided"
                ),
                vec![
                    format!("deinstallation of {package}"),
                    format!("do not install {}", asked.clone().unwrap_or_default()),
                    format!("break {package} by ignoring some of its dependencies"),
                ],
            ),
        };
        let mut text = format!("\nProblem: {said}\n");
        for (index, solution) in solutions.iter().enumerate() {
            text.push_str(&format!(" Solution {}: {solution}\n", index + 1));
        }
        let numbers: Vec<String> = (1..=solutions.len())
            .map(|number| number.to_string())
            .collect();
        text.push_str(&format!(
            "\nChoose from above solutions by number or cancel [{}/c/d/?] (c): c\n",
            numbers.join("/")
        ));
        invocation.print(&text);
    }
    status::ZYPP
}

async fn is_agreed(invocation: &mut Invocation) -> bool {
    let input = invocation.read_input().await;
    let input = String::from_utf8_lossy(&input);
    let line = input
        .lines()
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    matches!(line.as_str(), "y" | "yes")
}

/// Fetches packages and judges their signatures.
async fn download(
    invocation: &mut Invocation,
    wishes: &Wishes,
    repos: &[repository::Repo],
    metadata: &BTreeMap<String, Metadata>,
    plan: &Plan,
) -> Result<(), u8> {
    let count = plan.arrivals.len();
    for (index, arrival) in plan.arrivals.iter().enumerate() {
        let package = &arrival.offer.package;
        let Some(from) = metadata.get(&arrival.offer.repository) else {
            continue;
        };
        let (name, file) = (nevra(package), format!("{}.rpm", nvra(package)));
        let (size, unpacked) = (wide(package.size), wide(package.installed_size));
        let place = index + 1;
        if !wishes.is_quiet {
            invocation.print(&format!(
                "Retrieving package {name} ({place}/{count}), {size} ({unpacked} unpacked)\n\
                 Retrieving: {file} [."
            ));
        }
        let fetched = fetch::package(invocation, &from.url, package).await;
        let repo = repos
            .iter()
            .find(|repo| repo.alias == arrival.offer.repository);
        let is_checked = repo.is_some_and(|repo| repo.checks_keys) && !wishes.skips_keys;
        let is_bad = is_checked && fetch::judge(invocation, from) != Verdict::Good;
        if fetched.is_ok() && !is_bad {
            say(invocation, wishes, "done]");
            continue;
        }
        say(invocation, wishes, "error]");
        let alias = &arrival.offer.repository;
        let reason = match is_bad {
            true => "Signature verification failed [4-Signatures public key is not available]",
            false => "Medium source couldn't be reached",
        };
        invocation.complain(&format!(
            "Failed to provide Package {name} ({alias}). {reason}\n"
        ));
        invocation.print("Abort, retry, ignore? [a/r/i] (a): a\n");
        say_aborted(invocation);
        return Err(status::COMMIT);
    }
    if count > 0 && !wishes.is_quiet {
        invocation.print("\nChecking for file conflicts: [.done]\n");
    } else if count > 0 {
        invocation.print("\n");
    }
    Ok(())
}

fn say_aborted(invocation: &mut Invocation) {
    invocation.complain(
        "Problem occurred during or after installation or removal of packages:\nInstallation has been \
         aborted as directed.\nPlease see the above error message for a hint.\n",
    );
}

/// Does it, and says so.
async fn change(invocation: &mut Invocation, wishes: &Wishes, plan: &Plan) -> u8 {
    let count = plan.arrivals.len() + plan.removals.len();
    let (mut at, mut found) = (0, 0);
    for (package, _) in &plan.removals {
        at += 1;
        start(
            invocation,
            wishes,
            &format!("({at}/{count}) Removing {} [.", nevra(package)),
        );
        let done = work::erase(invocation, package, 0).await;
        let said = said(&done);
        if done.is_refused {
            return abort(invocation, wishes, package, "Removal", &said);
        }
        finish(invocation, wishes, &said);
        if done.failed_script.is_some() {
            found = status::SCRIPT_FAILED;
        }
    }
    for arrival in &plan.arrivals {
        at += 1;
        let package = &arrival.offer.package;
        start(
            invocation,
            wishes,
            &format!("({at}/{count}) Installing: {} [.", nevra(package)),
        );
        let source = Source {
            repository: arrival.offer.repository.clone(),
            is_automatic: arrival.reason == Reason::Dependency,
            is_quiet: false,
        };
        let mut done = work::install(invocation, package, &source).await;
        if done.is_refused {
            let said = said(&done);
            return abort(invocation, wishes, package, "Installation", &said);
        }
        for (old, left) in olds(arrival) {
            let erased = work::erase(invocation, &old, left).await;
            done.happened.extend(erased.happened);
            done.failed_script = done.failed_script.or(erased.failed_script);
        }
        finish(invocation, wishes, &said(&done));
        if done.failed_script.is_some() {
            found = status::SCRIPT_FAILED;
        }
    }
    let is_other = |one: &Arrival| order(one).is_some_and(std::cmp::Ordering::is_ne);
    let replaces = plan
        .arrivals
        .iter()
        .any(|one| is_other(one) || !one.obsoleted.is_empty());
    if (replaces || !plan.removals.is_empty()) && !wishes.is_quiet {
        invocation.print(" \n");
    }
    found
}

/// What a package takes the place of, and how many of each stay.
fn olds(arrival: &Arrival) -> impl Iterator<Item = (Arc<Package>, u8)> + '_ {
    let old = arrival.old.iter().map(|old| (Arc::clone(old), 1));
    old.chain(arrival.obsoleted.iter().map(|old| (Arc::clone(old), 0)))
}

fn said(done: &Done) -> String {
    let all = done.happened.iter().map(|one| match one {
        Happened::Script(said) | Happened::Files(said) => said.as_str(),
    });
    all.collect()
}

fn start(invocation: &mut Invocation, wishes: &Wishes, text: &str) {
    if !wishes.is_quiet {
        invocation.print(text);
    }
}

fn finish(invocation: &mut Invocation, wishes: &Wishes, said: &str) {
    if wishes.is_quiet {
        return;
    }
    invocation.print("done]\n");
    if !said.is_empty() {
        invocation.print(&format!("Additional rpm output:\n{said}\n\n"));
    }
}

fn abort(
    invocation: &mut Invocation,
    wishes: &Wishes,
    package: &Package,
    what: &str,
    said: &str,
) -> u8 {
    let name = nevra(package);
    say(invocation, wishes, "error]");
    let plain = nvra(package);
    let rest = if what == "Installation" {
        "install"
    } else {
        "erase"
    };
    invocation.complain(&format!(
        "{what} of {name} failed:\nError: Subprocess failed. Error: RPM failed: {said}error: {plain}: \
         {rest} failed\n\n"
    ));
    invocation.print("Abort, retry, ignore? [a/r/i] (a): a\n");
    say_aborted(invocation);
    status::COMMIT
}
