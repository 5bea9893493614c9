//! Carrying a plan out: what dnf shows before, fetches, checks and does.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::repository::{Repo, Settings};
use super::table::{self, WIDTH, number, transfer};
use super::wishes::Wishes;
use crate::files::Credentials;
use crate::packages::rpm::plan::{Arrival, Plan, Reason};
use crate::packages::rpm::version::compare;
use crate::packages::rpm::{nevra, nvra};
use crate::packages::{Metadata, Package};
use crate::program::Invocation;
use crate::program::gpg;
use crate::program::rpm::fetch::{self, Failure, Verdict};
use crate::program::rpm::keys;
use crate::program::rpm::work::{self, Done, Happened, Source};

/// How a package comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Install,
    Upgrade,
    Reinstall,
    Downgrade,
}

/// Returns how a package comes.
pub(super) fn way(arrival: &Arrival) -> Way {
    let Some(old) = &arrival.old else {
        return Way::Install;
    };
    match compare(&arrival.offer.package.version, &old.version) {
        std::cmp::Ordering::Greater => Way::Upgrade,
        std::cmp::Ordering::Equal => Way::Reinstall,
        std::cmp::Ordering::Less => Way::Downgrade,
    }
}

/// A line of the table of what will happen.
struct Line {
    package: Arc<Package>,
    repository: String,
    size: u64,
    replaces: Vec<Arc<Package>>,
}

/// Shows what will happen.
pub(super) fn announce(invocation: &mut Invocation, plan: &Plan, may_erase: bool) {
    let arriving = |way_wanted: Way, reason: Option<Reason>| {
        let own = plan.arrivals.iter().filter(move |one| {
            way(one) == way_wanted && reason.is_none_or(|reason| one.reason == reason)
        });
        own.map(|one| Line {
            package: Arc::clone(&one.offer.package),
            repository: one.offer.repository.clone(),
            size: one.offer.package.size,
            replaces: one.obsoleted.clone(),
        })
        .collect::<Vec<Line>>()
    };
    let going = |reason: Reason| {
        let own = plan.removals.iter().filter(move |(_, why)| *why == reason);
        own.map(|(package, _)| Line {
            package: Arc::clone(package),
            repository: origin(invocation, &package.name),
            size: package.installed_size,
            replaces: Vec::new(),
        })
        .collect::<Vec<Line>>()
    };
    let skipped = plan.skipped.iter().map(|offer| Line {
        package: Arc::clone(&offer.package),
        repository: offer.repository.clone(),
        size: offer.package.size,
        replaces: Vec::new(),
    });
    let force = if may_erase {
        "--best"
    } else {
        "--best --allowerasing"
    };
    let skipping = format!(
        "Skipping packages with conflicts:\n(add '{force}' to command line to force their upgrade)"
    );
    let groups = [
        ("Installing", arriving(Way::Install, Some(Reason::Asked))),
        ("Upgrading", arriving(Way::Upgrade, None)),
        ("Reinstalling", arriving(Way::Reinstall, None)),
        (
            "Installing dependencies",
            arriving(Way::Install, Some(Reason::Dependency)),
        ),
        ("Removing", going(Reason::Asked)),
        ("Removing dependent packages", going(Reason::Dependency)),
        ("Removing unused dependencies", going(Reason::Unused)),
        ("Downgrading", arriving(Way::Downgrade, None)),
        (skipping.as_str(), skipped.collect()),
    ];
    let text = table_of(&groups);
    invocation.print(&text);
}

/// Returns the repository that an installed package came from, as dnf shows it.
pub(super) fn origin(invocation: &Invocation, name: &str) -> String {
    let origin = invocation.host(|host| host.packages.get(name).map(|one| one.origin.clone()));
    match origin.as_deref() {
        None | Some("") => "@System".to_owned(),
        Some(id) => format!("@{id}"),
    }
}

fn table_of(groups: &[(&str, Vec<Line>)]) -> String {
    let all = || groups.iter().flat_map(|(_, lines)| lines);
    let lengths = |length: &dyn Fn(&Line) -> usize| all().map(length).collect::<Vec<usize>>();
    let widest = all().map(|line| line.package.architecture.len()).max();
    let least = [1, widest.unwrap_or(0), 1, 1, 5];
    let cells = [
        lengths(&|line| line.package.name.len()),
        Vec::new(),
        lengths(&|line| line.package.version.len()),
        lengths(&|line| line.repository.len()),
        Vec::new(),
    ];
    let widths = table::widths(&least, &cells, 2, 2);
    let width = (widths.iter().sum::<usize>() + 5).max(WIDTH);
    let rule = "=".repeat(width);
    let fit = |long: &'static str, short: &'static str, at: usize| {
        if widths[at] < long.len() { short } else { long }
    };
    let row = |cells: [&str; 4], size: &str| {
        let last = format!("{size:>0$}", widths[4]);
        let cells: Vec<(&str, usize)> = cells.into_iter().zip(widths.iter().copied()).collect();
        let mut cells = cells;
        cells.push((last.as_str(), widths[4]));
        table::line(&cells, " ")
    };
    let head = row(
        [
            "Package",
            fit("Architecture", "Arch", 1),
            "Version",
            fit("Repository", "Repo", 3),
        ],
        "Size",
    );
    let mut text = format!("{rule}\n{head}\n{rule}\n");
    for (title, lines) in groups.iter().filter(|(_, lines)| !lines.is_empty()) {
        text.push_str(&format!("{title}:\n"));
        let mut lines: Vec<&Line> = lines.iter().collect();
        lines.sort_by(|one, other| one.package.name.cmp(&other.package.name));
        for line in lines {
            let package = &line.package;
            let cells = [
                package.name.as_str(),
                &package.architecture,
                &package.version,
                &line.repository,
            ];
            text.push_str(&row(cells, &number(line.size)));
            text.push('\n');
            for old in &line.replaces {
                let (name, arch, version) = (&old.name, &old.architecture, &old.version);
                text.push_str(&format!("     replacing  {name}.{arch} {version}\n"));
            }
        }
    }
    text.push_str(&format!("\nTransaction Summary\n{rule}\n"));
    text.push_str(&summary(groups));
    text
}

fn summary(groups: &[(&str, Vec<Line>)]) -> String {
    let count = |titles: &[&str]| {
        let own = groups
            .iter()
            .filter(|(title, _)| titles.iter().any(|one| title.starts_with(one)));
        own.map(|(_, lines)| lines.len()).sum::<usize>()
    };
    let rows = [
        ("Install", count(&["Installing"])),
        ("Upgrade", count(&["Upgrading"])),
        ("Remove", count(&["Removing"])),
        ("Downgrade", count(&["Downgrading"])),
        ("Skip", count(&["Skipping"])),
    ];
    let rows: Vec<(&str, usize)> = rows.into_iter().filter(|(_, count)| *count > 0).collect();
    let verbs = rows.iter().map(|(verb, _)| verb.len()).max().unwrap_or(0);
    let digits = rows
        .iter()
        .map(|(_, count)| count.to_string().len())
        .max()
        .unwrap_or(0);
    let row = |(verb, count): &(&str, usize)| {
        let word = if *count == 1 { "Package" } else { "Packages" };
        format!("{verb:<verbs$}  {count:>digits$} {word}\n")
    };
    rows.iter().map(row).collect()
}

/// Carries a plan out.
pub(super) async fn run(
    invocation: &mut Invocation,
    wishes: &Wishes,
    settings: &Settings,
    metadata: &BTreeMap<String, Metadata>,
    plan: Plan,
) -> u8 {
    if plan.is_empty() {
        if !wishes.is_quiet {
            if !plan.skipped.is_empty() {
                announce(invocation, &plan, wishes.may_erase);
                invocation.print("\n");
            }
            invocation.print("Nothing to do.\nComplete!\n");
        }
        return 0;
    }
    let asks = !wishes.yes && !settings.main.says_yes("assumeyes", false);
    if !wishes.is_quiet || asks {
        announce(invocation, &plan, wishes.may_erase);
        say_sizes(invocation, &plan);
    }
    if wishes.no || (asks && !is_agreed(invocation).await) {
        invocation.complain("Operation aborted.\n");
        return 1;
    }
    if let Err(status) = download(invocation, wishes, settings, metadata, &plan).await {
        return status;
    }
    if wishes.only_downloads {
        if !wishes.is_quiet {
            invocation.print(
                "Complete!\nThe downloaded packages were saved in cache until the next successful \
                 transaction.\nYou can remove cached packages by executing 'dnf clean packages'.\n",
            );
        }
        return 0;
    }
    if !wishes.is_quiet {
        invocation.print("Running transaction check\nTransaction check succeeded.\n");
        invocation.print("Running transaction test\n");
    }
    let grows = plan
        .arrivals
        .iter()
        .map(|one| one.offer.package.installed_size);
    if let Some(lacking) = fetch::lacking(invocation, grows.sum()) {
        let needed = lacking.div_ceil(1 << 20);
        let first = plan.arrivals.first().map(|one| nvra(&one.offer.package));
        let first = first.unwrap_or_default();
        invocation.complain(&format!(
            "Error: Transaction test error:\n  installing package {first} needs {needed}MB more \
             space on the / filesystem\n\n"
        ));
        return 1;
    }
    if !wishes.is_quiet {
        invocation.print("Transaction test succeeded.\nRunning transaction\n");
    }
    let failed = change(invocation, wishes, &plan).await;
    let (root, now) = (Credentials::root(), invocation.now());
    for arrival in plan.arrivals.iter().filter(|_| failed.is_empty()) {
        let path = kept_at(arrival);
        // It is of no use any more; one that is gone already is as good.
        let _ = invocation.host(|host| host.files.remove_file(&path, &root, now));
    }
    finish(invocation, wishes, &plan, &failed)
}

/// Where the archive of a package is until it is installed.
fn kept_at(arrival: &Arrival) -> String {
    let (repository, name) = (&arrival.offer.repository, nvra(&arrival.offer.package));
    format!("/var/cache/dnf/{repository}/packages/{name}.rpm")
}

/// Keeps a place for an archive; what is in it nobody reads.
fn keep(invocation: &Invocation, path: &str) {
    let (root, now) = (Credentials::root(), invocation.now());
    let (directory, _) = crate::files::split(path);
    // Without room for it, it is fetched again.
    let _ = invocation.host(|host| {
        host.files.make_dirs(directory, 0o755, &root, now)?;
        host.files.write(path, "", 0o644, &root, now)
    });
}

fn say_sizes(invocation: &mut Invocation, plan: &Plan) {
    let arriving = || plan.arrivals.iter().map(|one| &one.offer.package);
    let mut text = "\n".to_owned();
    let is_kept = |arrival: &&Arrival| {
        let path = kept_at(arrival);
        invocation.host(|host| host.files.exists(&path))
    };
    let kept = plan.arrivals.iter().filter(is_kept);
    let kept: u64 = kept.map(|one| one.offer.package.size).sum();
    let total: u64 = arriving().map(|package| package.size).sum();
    if kept > 0 {
        text.push_str(&format!("Total size: {}\n", number(total)));
    }
    if total > kept {
        text.push_str(&format!("Total download size: {}\n", number(total - kept)));
    }
    let only_arrives = plan.removals.is_empty()
        && plan.arrivals.iter().all(|one| {
            matches!(way(one), Way::Install | Way::Reinstall) && one.obsoleted.is_empty()
        });
    if only_arrives && !plan.arrivals.is_empty() {
        let grown: u64 = arriving().map(|package| package.installed_size).sum();
        text.push_str(&format!("Installed size: {}\n", number(grown)));
    }
    if plan.arrivals.is_empty() {
        let freed: u64 = plan
            .removals
            .iter()
            .map(|(package, _)| package.installed_size)
            .sum();
        text.push_str(&format!("Freed space: {}\n", number(freed)));
    }
    invocation.print(&text);
}

/// Asks whether it may go on.
async fn is_agreed(invocation: &mut Invocation) -> bool {
    invocation.print("Is this ok [y/N]: ");
    let input = invocation.read_input().await;
    let input = String::from_utf8_lossy(&input);
    let line = input.lines().next().unwrap_or_default();
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// Fetches packages and judges their signatures.
async fn download(
    invocation: &mut Invocation,
    wishes: &Wishes,
    settings: &Settings,
    metadata: &BTreeMap<String, Metadata>,
    plan: &Plan,
) -> Result<(), u8> {
    if plan.arrivals.is_empty() {
        return Ok(());
    }
    if !wishes.is_quiet {
        invocation.print("Downloading Packages:\n");
    }
    let mut arrivals: Vec<&Arrival> = plan.arrivals.iter().collect();
    arrivals.sort_by(|one, other| one.offer.package.name.cmp(&other.offer.package.name));
    let count = arrivals.len();
    let (mut total, started) = (0, invocation.fleet.elapsed());
    for (index, arrival) in arrivals.iter().enumerate() {
        let package = &arrival.offer.package;
        let Some(from) = metadata.get(&arrival.offer.repository) else {
            continue;
        };
        let before = invocation.fleet.elapsed();
        let kept = kept_at(arrival);
        if invocation.host(|host| host.files.exists(&kept)) {
            if !wishes.is_quiet {
                let text = format!("[SKIPPED] {}.rpm: Already downloaded", nvra(package));
                invocation.print(&format!("{text:<79}\n"));
            }
            continue;
        }
        if let Err(failure) = fetch::package(invocation, &from.url, package).await {
            let reason = match failure {
                Failure::Status(status, _) => format!("Status code: {status}"),
                Failure::Curl(number, words, _) => format!("Curl error ({number}): {words}"),
            };
            invocation.complain(&format!(
                "[MIRROR] {0}.rpm: {reason} for {1}/{0}.rpm\n[FAILED] {0}.rpm: No more mirrors to \
                 try - All mirrors were already tried without success\nError: Error downloading \
                 packages:\n  Cannot download {0}.rpm: All mirrors were tried\n",
                nvra(package),
                from.url
            ));
            return Err(1);
        }
        total += package.size;
        keep(invocation, &kept);
        if !wishes.is_quiet {
            let place = if count > 1 {
                format!("({}/{count}): ", index + 1)
            } else {
                String::new()
            };
            let name = format!("{place}{}.rpm", nvra(package));
            let time = invocation.fleet.elapsed() - before;
            invocation.print(&transfer(&name, package.size, time));
        }
    }
    if !wishes.is_quiet && total > 0 {
        let time = invocation.fleet.elapsed() - started;
        let line = transfer("Total", total, time);
        // This line alone has a blank more at its end.
        let line = line.trim_end_matches('\n');
        invocation.print(&format!("{}\n{line} \n", "-".repeat(WIDTH)));
    }
    for arrival in arrivals {
        let id = &arrival.offer.repository;
        let repo = settings.repos.iter().find(|repo| repo.id == *id);
        let (Some(repo), Some(from)) = (repo, metadata.get(id)) else {
            continue;
        };
        if repo.checks_keys {
            check_key(invocation, wishes, repo, from, &arrival.offer.package).await?;
        }
    }
    Ok(())
}

/// Checks the signature of a package; fetches the keys of its repository where that helps.
async fn check_key(
    invocation: &mut Invocation,
    wishes: &Wishes,
    repo: &Repo,
    from: &Metadata,
    package: &Package,
) -> Result<(), u8> {
    let file = format!("{}.rpm", nvra(package));
    let complaint = match fetch::judge(invocation, from) {
        Verdict::Good => return Ok(()),
        Verdict::Unsigned => format!("Package {file} is not signed\n"),
        Verdict::Unknown if repo.keys.is_empty() => {
            format!("Public key for {file} is not installed\n")
        }
        Verdict::Unknown => {
            for address in &repo.keys {
                import(invocation, wishes, repo, address).await?;
            }
            if fetch::judge(invocation, from) == Verdict::Good {
                return Ok(());
            }
            format!(
                "Public key for {file} is not installed. Failing package is: {}\n GPG Keys are \
                 configured as: {}\n",
                nevra(package),
                repo.keys.join(", ")
            )
        }
    };
    invocation.complain(&complaint);
    say_kept(invocation, wishes);
    invocation.complain("Error: GPG check FAILED\n");
    Err(1)
}

fn say_kept(invocation: &mut Invocation, wishes: &Wishes) {
    if !wishes.is_quiet {
        invocation.print(
            "The downloaded packages were saved in cache until the next successful \
             transaction.\nYou can remove cached packages by executing 'dnf clean packages'.\n",
        );
    }
}

/// Takes the keys up that an address holds.
async fn import(
    invocation: &mut Invocation,
    wishes: &Wishes,
    repo: &Repo,
    address: &str,
) -> Result<(), u8> {
    let text = match address.strip_prefix("file://") {
        Some(path) => invocation
            .host(|host| host.files.text(path))
            .ok_or_else(|| {
                format!("Curl error (37): Couldn't read a file:// file for {address}\n")
            }),
        None => {
            if address.starts_with("http://") {
                invocation.complain(&format!(
                    "retrieving repo key for {} unencrypted from {address}\n",
                    repo.id
                ));
            }
            let started = invocation.fleet.elapsed();
            let found = fetch::page(invocation, address).await;
            let time = invocation.fleet.elapsed() - started;
            if !wishes.is_quiet {
                let size = found.as_ref().map_or(335, |(text, _)| text.len() as u64);
                invocation.print(&transfer(&repo.name, size, time));
            }
            found
                .map(|(text, _)| text)
                .map_err(|failure| match failure {
                    Failure::Status(status, from) => {
                        format!("Status code: {status} for {address} (IP: {from})\n")
                    }
                    Failure::Curl(number, words, said) => {
                        format!("Curl error ({number}): {words} for {address} [{said}]\n")
                    }
                })
        }
    };
    let text = match text {
        Ok(text) => text,
        Err(said) => {
            invocation.complain(&said);
            say_kept(invocation, wishes);
            return Err(1);
        }
    };
    for key in gpg::keys(&text) {
        let short = key.get(32..).unwrap_or(&key);
        let groups: Vec<&str> = (0..10)
            .filter_map(|at| key.get(at * 4..at * 4 + 4))
            .collect();
        invocation.complain(&format!(
            "Importing GPG key 0x{short}:\n Userid     : \"{}\"\n Fingerprint: {}\n From       : \
             {address}\n",
            gpg::OWNER,
            groups.join(" ")
        ));
        keys::trust(invocation, &key);
        if !wishes.is_quiet {
            invocation.print("Key imported successfully\n");
        }
    }
    Ok(())
}

/// Does it; returns the names of packages that it fails with.
async fn change(invocation: &mut Invocation, wishes: &Wishes, plan: &Plan) -> Vec<String> {
    let mut olds: Vec<(Arc<Package>, &'static str, u8)> = Vec::new();
    for arrival in &plan.arrivals {
        if let Some(old) = &arrival.old {
            olds.push((Arc::clone(old), "Cleanup", 1));
        }
        let gone = arrival.obsoleted.iter();
        olds.extend(gone.map(|old| (Arc::clone(old), "Obsoleting", 0)));
    }
    let mut olds = crate::packages::rpm::plan::out_order(olds, |(package, ..)| package);
    let removals = plan.removals.iter();
    olds.extend(removals.map(|(package, _)| (Arc::clone(package), "Erasing", 0)));
    let total = plan.arrivals.len() + olds.len();
    let mut failed = Vec::new();
    progress(invocation, wishes, "Preparing", "", (1, 1));
    for (index, arrival) in plan.arrivals.iter().enumerate() {
        let package = &arrival.offer.package;
        let action = match way(arrival) {
            Way::Install => "Installing",
            Way::Upgrade => "Upgrading",
            Way::Reinstall => "Reinstalling",
            Way::Downgrade => "Downgrading",
        };
        let source = Source {
            repository: arrival.offer.repository.clone(),
            is_automatic: arrival.reason == Reason::Dependency,
            is_quiet: false,
        };
        let done = work::install(invocation, package, &source).await;
        show(
            invocation,
            wishes,
            package,
            action,
            &done,
            (index + 1, total),
        );
        if done.is_refused {
            failed.push(package.name.clone());
        }
    }
    for (index, (package, action, left)) in olds.iter().enumerate() {
        if failed.contains(&package.name) {
            continue;
        }
        let done = work::erase(invocation, package, *left).await;
        let place = (plan.arrivals.len() + index + 1, total);
        show(invocation, wishes, package, action, &done, place);
        if done.is_refused {
            failed.push(package.name.clone());
        }
    }
    verify(invocation, wishes, plan, total);
    failed
}

fn show(
    invocation: &mut Invocation,
    wishes: &Wishes,
    package: &Package,
    action: &str,
    done: &Done,
    place: (usize, usize),
) {
    let name = nevra(package);
    if !wishes.is_quiet {
        for one in &done.happened {
            let (action, said) = match one {
                Happened::Script(said) => ("Running scriptlet", said),
                Happened::Files(said) => (action, said),
            };
            progress(invocation, wishes, action, &name, place);
            if !said.is_empty() {
                invocation.print(&format!("{said}\n"));
            }
        }
    }
    if let Some(script) = done.failed_script {
        let name = &package.name;
        invocation.complain(&format!(
            "Error in {script} scriptlet in rpm package {name}\n"
        ));
    }
}

/// Writes how far it is.
fn progress(
    invocation: &mut Invocation,
    wishes: &Wishes,
    action: &str,
    name: &str,
    (at, total): (usize, usize),
) {
    if wishes.is_quiet {
        return;
    }
    let digits = total.to_string().len();
    let width = 54 - 2 * digits;
    invocation.print(&format!(
        "  {action:<17}: {name:<width$.width$}   {at:>digits$}/{total} \n"
    ));
}

/// Says of all packages that they are there, or gone.
fn verify(invocation: &mut Invocation, wishes: &Wishes, plan: &Plan, total: usize) {
    let mut all: Vec<(Arc<Package>, bool)> = Vec::new();
    for arrival in &plan.arrivals {
        all.push((Arc::clone(&arrival.offer.package), true));
        let old = arrival.old.iter().chain(&arrival.obsoleted);
        all.extend(old.map(|old| (Arc::clone(old), false)));
    }
    let removals = plan.removals.iter();
    all.extend(removals.map(|(package, _)| (Arc::clone(package), false)));
    let name_of = |package: &Package| {
        // An old package stands behind the one that takes its place.
        let arrival = plan.arrivals.iter().find(|one| {
            let mut gone = one.obsoleted.iter();
            gone.any(|old| old.name == package.name)
        });
        arrival.map_or_else(
            || package.name.clone(),
            |one| one.offer.package.name.clone(),
        )
    };
    all.sort_by_key(|(package, is_new)| (name_of(package), !is_new));
    for (index, (package, _)) in all.iter().enumerate() {
        progress(
            invocation,
            wishes,
            "Verifying",
            &nevra(package),
            (index + 1, total),
        );
    }
}

/// Says what has happened.
fn finish(invocation: &mut Invocation, wishes: &Wishes, plan: &Plan, failed: &[String]) -> u8 {
    let came = |wanted: Way| {
        let own = plan.arrivals.iter().filter(|one| way(one) == wanted);
        let own = own.map(|one| &*one.offer.package);
        own.filter(|package| !failed.contains(&package.name))
            .map(nevra)
            .collect::<Vec<String>>()
    };
    let packages = plan.arrivals.iter().map(|one| &one.offer.package);
    let went = plan.removals.iter().map(|(package, _)| package);
    let fails = |package: &&Arc<Package>| failed.contains(&package.name);
    let skipped = plan.skipped.iter().map(|offer| nevra(&offer.package));
    let groups = [
        ("Upgraded", came(Way::Upgrade)),
        ("Downgraded", came(Way::Downgrade)),
        ("Installed", came(Way::Install)),
        ("Reinstalled", came(Way::Reinstall)),
        ("Skipped", skipped.collect()),
        (
            "Removed",
            went.clone()
                .filter(|package| !fails(package))
                .map(|package| nevra(package))
                .collect(),
        ),
        (
            "Failed",
            packages
                .chain(went)
                .filter(fails)
                .map(|package| nevra(package))
                .collect(),
        ),
    ];
    let mut text = "\n".to_owned();
    for (title, mut names) in groups {
        if names.is_empty() {
            continue;
        }
        names.sort();
        text.push_str(&format!("{title}:\n{}", table::columns(&names)));
    }
    text.push('\n');
    invocation.print(&text);
    if !failed.is_empty() {
        invocation.complain("Error: Transaction failed\n");
        return 1;
    }
    if !wishes.is_quiet {
        invocation.print("Complete!\n");
    }
    0
}
