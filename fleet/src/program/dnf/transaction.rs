//! Carrying a plan out: what dnf shows before, fetches, checks and does.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::announce::{announce, say_sizes};
use super::download::download;
use super::repository::Settings;
use super::table;
use super::wishes::Wishes;
use crate::files::Credentials;
use crate::packages::rpm::plan::{Arrival, Plan, Reason};
use crate::packages::rpm::version::compare;
use crate::packages::rpm::{nevra, nvra};
use crate::packages::{Metadata, Package};
use crate::program::Invocation;
use crate::program::rpm::fetch;
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

/// Returns the repository that an installed package came from, as dnf shows it.
pub(super) fn origin(invocation: &Invocation, name: &str) -> String {
    let origin = invocation.host(|host| host.packages.get(name).map(|one| one.origin.clone()));
    match origin.as_deref() {
        None | Some("") => "@System".to_owned(),
        Some(id) => format!("@{id}"),
    }
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
pub(super) fn kept_at(arrival: &Arrival) -> String {
    let (repository, name) = (&arrival.offer.repository, nvra(&arrival.offer.package));
    format!("/var/cache/dnf/{repository}/packages/{name}.rpm")
}

/// Asks whether it may go on.
async fn is_agreed(invocation: &mut Invocation) -> bool {
    invocation.print("Is this ok [y/N]: ");
    let input = invocation.read_input().await;
    let input = String::from_utf8_lossy(&input);
    let line = input.lines().next().unwrap_or_default();
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
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
