//! Installing and removing.

use std::sync::Arc;
use std::time::Duration;

use super::order::{removal_order, run_triggers, setup_order};
use super::{Wishes, bytes, duration, lock};
use crate::packages::{
    Installed, Package, Packages, Plan, Request, State, Unavailable, plan_install, plan_remove,
};
use crate::program::dpkg::Reading;
use crate::program::{Invocation, dpkg};
use crate::web::{self, Unfetched, Url};

pub(super) async fn install(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    if let Some(status) = lock::needs_root(invocation, lock::Which::Packages) {
        return status;
    }
    let _held = match take(invocation, wishes).await {
        Ok(held) => held,
        Err(status) => return status,
    };
    invocation.spend(crate::time::of("apt-get")).await;
    if let Some(status) = refuse_interrupted(invocation) {
        return status;
    }
    read_lists(invocation, wishes);
    let requests: Vec<Request> = wishes
        .names
        .iter()
        .map(|name| Request::parse(name))
        .collect();
    assume_unknown(invocation, &requests);
    let packages = invocation.host(|host| host.packages.clone());
    let mut plan = match plan_install(&packages, &requests) {
        Ok(plan) => plan,
        Err(unavailable) => return complain(invocation, &unavailable),
    };
    if wishes.reinstalls {
        for (name, _) in std::mem::take(&mut plan.already) {
            let here = packages.get(&name).map(|one| Arc::clone(&one.package));
            plan.upgrade.extend(here);
        }
    }
    if !plan.downgrade.is_empty() && wishes.yes && !wishes.allows_downgrades {
        announce(invocation, &packages, &plan);
        invocation
            .complain("E: Packages were downgraded and -y was used without --allow-downgrades.\n");
        return 100;
    }
    carry_out(invocation, wishes, &packages, plan, false).await
}

pub(super) async fn remove(invocation: &mut Invocation, wishes: &Wishes, purges: bool) -> u8 {
    if let Some(status) = lock::needs_root(invocation, lock::Which::Packages) {
        return status;
    }
    let _held = match take(invocation, wishes).await {
        Ok(held) => held,
        Err(status) => return status,
    };
    invocation.spend(crate::time::of("apt-get")).await;
    if let Some(status) = refuse_interrupted(invocation) {
        return status;
    }
    read_lists(invocation, wishes);
    let packages = invocation.host(|host| host.packages.clone());
    let plan = match plan_remove(&packages, &wishes.names, purges || wishes.purges) {
        Ok(plan) => plan,
        Err(unavailable) => return complain(invocation, &unavailable),
    };
    for name in &wishes.names {
        if !plan.remove.contains(name) {
            invocation.print(&format!(
                "Package '{name}' is not installed, so not removed\n"
            ));
        }
    }
    carry_out(invocation, wishes, &packages, plan, purges || wishes.purges).await
}

pub(super) async fn autoremove(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    if let Some(status) = lock::needs_root(invocation, lock::Which::Packages) {
        return status;
    }
    let _held = match take(invocation, wishes).await {
        Ok(held) => held,
        Err(status) => return status,
    };
    read_lists(invocation, wishes);
    let packages = invocation.host(|host| host.packages.clone());
    let plan = Plan {
        remove: unneeded(&packages, &[]),
        ..Plan::default()
    };
    carry_out(invocation, wishes, &packages, plan, wishes.purges).await
}

pub(super) async fn upgrade(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let packages = invocation.host(|host| host.packages.clone());
    let is_behind = |one: &&Installed| {
        let candidate = packages.candidate(&one.package.name);
        one.state == State::Installed
            && !one.is_held
            && candidate.is_some_and(|candidate| candidate.version != one.package.version)
    };
    let behind = packages.installed.values().filter(is_behind);
    let names = behind.map(|one| one.package.name.clone()).collect();
    let wishes = Wishes {
        names,
        ..wishes.clone()
    };
    install(invocation, &wishes).await
}

async fn take(invocation: &mut Invocation, wishes: &Wishes) -> Result<lock::Held, u8> {
    let which = lock::Which::Packages;
    match lock::take(invocation, which, wishes.lock_timeout).await {
        Ok(held) => Ok(held),
        Err(holder) => Err(lock::complain(invocation, which, &holder)),
    }
}

fn refuse_interrupted(invocation: &mut Invocation) -> Option<u8> {
    let interrupted = invocation.host(|host| host.packages.interrupted());
    if interrupted.is_empty() {
        return None;
    }
    invocation.complain(
        "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the \
         problem. \n",
    );
    Some(100)
}

fn read_lists(invocation: &mut Invocation, wishes: &Wishes) {
    if wishes.quiet >= 2 {
        return;
    }
    invocation.print("Reading package lists...\nBuilding dependency tree...\n");
    let has_state = invocation.host(|host| host.files.exists("/var/lib/apt/extended_states"));
    if has_state {
        invocation.print("Reading state information...\n");
    }
}

/// Where a rehearsal may assume it, a package that nobody knows is one of the distribution: users'
/// hooks install what they like.
fn assume_unknown(invocation: &mut Invocation, requests: &[Request]) {
    let assumes = invocation.world(|world| world.assumes);
    if !assumes || !invocation.is_users() {
        return;
    }
    for request in requests {
        let is_known = invocation.host(|host| host.packages.candidate(&request.name).is_some());
        if is_known {
            continue;
        }
        let what = format!(
            "the package {}, which is taken to be installed",
            request.name
        );
        invocation.assume(&what);
        let own = super::architecture(invocation);
        let package = Package::base(&request.name, "1.0", own);
        invocation.host(|host| {
            host.packages.set(Installed {
                package: Arc::new(package),
                state: State::Installed,
                is_automatic: false,
                is_held: false,
                origin: String::new(),
                since: Duration::ZERO,
            });
        });
    }
}

fn complain(invocation: &mut Invocation, unavailable: &Unavailable) -> u8 {
    let said = match unavailable {
        Unavailable::Package(name) => format!("E: Unable to locate package {name}\n"),
        Unavailable::Version(name, version) => {
            invocation.print(&format!(
                "Package {name} is not available, but is referred to by another package.\nThis may \
                 mean that the package is missing, has been obsoleted, or\nis only available from \
                 another source\n\n"
            ));
            format!("E: Version '{version}' for '{name}' was not found\n")
        }
        Unavailable::Candidate(name) => {
            format!("E: Package '{name}' has no installation candidate\n")
        }
        Unavailable::Broken(broken) => {
            let mut text = String::from(
                "Some packages could not be installed. This may mean that you have\nrequested an \
                 impossible situation or if you are using the unstable\ndistribution that some \
                 required packages have not yet been created\nor been moved out of Incoming.\nThe \
                 following information may help to resolve the situation:\n\nThe following \
                 packages have unmet dependencies:\n",
            );
            for one in broken {
                let (package, relation, reason) = (&one.package, &one.relation, &one.reason);
                text.push_str(&format!(" {package} : Depends: {relation} {reason}\n"));
            }
            invocation.print(&text);
            "E: Unable to correct problems, you have held broken packages.\n".to_owned()
        }
    };
    invocation.complain(&said);
    100
}

/// Prints names in lines of 79 characters, as apt does.
fn list(title: &str, mut names: Vec<String>) -> String {
    if names.is_empty() {
        return String::new();
    }
    names.sort();
    let mut text = format!("{title}\n ");
    let mut width = 1;
    for name in names {
        if width + name.len() + 1 > 79 {
            text.push_str("\n ");
            width = 1;
        }
        text.push_str(&format!(" {name}"));
        width += name.len() + 1;
    }
    text.push('\n');
    text
}

fn announce(invocation: &mut Invocation, packages: &Packages, plan: &Plan) {
    for (name, version) in &plan.already {
        invocation.print(&format!(
            "{name} is already the newest version ({version}).\n"
        ));
    }
    let names = |list: &[Arc<Package>]| list.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
    let left = unneeded(packages, &plan.remove);
    let mut text = list(
        "The following packages were automatically installed and are no longer required:",
        left.clone(),
    );
    if !left.is_empty() {
        let by_sudo = invocation.variable("SUDO_USER").is_some();
        let sudo = if by_sudo { "sudo " } else { "" };
        text.push_str(&format!("Use '{sudo}apt autoremove' to remove them.\n"));
    }
    text.push_str(&list(
        "The following additional packages will be installed:",
        plan.automatic.clone(),
    ));
    text.push_str(&list(
        "The following packages will be REMOVED:",
        plan.remove.clone(),
    ));
    text.push_str(&list(
        "The following NEW packages will be installed:",
        names(&plan.install),
    ));
    text.push_str(&list(
        "The following held packages will be changed:",
        held(packages, plan),
    ));
    text.push_str(&list(
        "The following packages will be upgraded:",
        names(&plan.upgrade),
    ));
    text.push_str(&list(
        "The following packages will be DOWNGRADED:",
        names(&plan.downgrade),
    ));
    let downgraded = match plan.downgrade.len() {
        0 => String::new(),
        count => format!("{count} downgraded, "),
    };
    text.push_str(&format!(
        "{} upgraded, {} newly installed, {downgraded}{} to remove and 0 not upgraded.\n",
        plan.upgrade.len(),
        plan.install.len(),
        plan.remove.len()
    ));
    invocation.print(&text);
}

/// Returns the packages that were to stay as they are, and would not.
fn held(packages: &Packages, plan: &Plan) -> Vec<String> {
    let replaced = plan.upgrade.iter().chain(&plan.downgrade);
    let replaced = replaced.map(|package| package.name.as_str());
    let removed = plan.remove.iter().map(|name| name.trim_end_matches('*'));
    let is_held = |name: &&str| packages.get(name).is_some_and(|one| one.is_held);
    replaced
        .chain(removed)
        .filter(is_held)
        .map(str::to_owned)
        .collect()
}

/// Returns packages that came with others, and that nothing needs any more.
fn unneeded(packages: &Packages, removed: &[String]) -> Vec<String> {
    let mut gone: Vec<String> = removed.to_vec();
    loop {
        let more = unneeded_after(packages, &gone);
        if more.is_empty() {
            break;
        }
        gone.extend(more);
    }
    gone.split_off(removed.len())
}

/// Returns those that nothing needs any more, one step further.
fn unneeded_after(packages: &Packages, removed: &[String]) -> Vec<String> {
    let is_needed = |name: &str| {
        packages.installed.values().any(|other| {
            other.state != State::ConfigFiles
                && !removed.contains(&other.package.name)
                && other
                    .package
                    .depends
                    .iter()
                    .flatten()
                    .any(|one| one.name == name)
        })
    };
    let left = packages.installed.values();
    let left = left.filter(|one| one.is_automatic && one.state == State::Installed);
    left.map(|one| one.package.name.clone())
        .filter(|name| !removed.contains(name) && !is_needed(name))
        .collect()
}

async fn carry_out(
    invocation: &mut Invocation,
    wishes: &Wishes,
    packages: &Packages,
    plan: Plan,
    purges: bool,
) -> u8 {
    let shown = Plan {
        remove: plan
            .remove
            .iter()
            .map(|name| {
                if purges {
                    format!("{name}*")
                } else {
                    name.clone()
                }
            })
            .collect(),
        ..plan.clone()
    };
    if wishes.quiet < 2 {
        announce(invocation, packages, &shown);
    }
    for (name, _) in &plan.already {
        invocation.host(|host| set_automatic(&mut host.packages, name, false));
    }
    if wishes.simulates {
        simulate(invocation, packages, &plan);
        return 0;
    }
    if plan.is_empty() {
        return 0;
    }
    if !held(packages, &plan).is_empty() && wishes.yes && !wishes.changes_held {
        invocation.complain(
            "E: Held packages were changed and -y was used without --allow-change-held-packages.\n",
        );
        return 100;
    }
    let asks = !plan.remove.is_empty() || !plan.automatic.is_empty();
    if asks && !wishes.yes && wishes.quiet < 2 {
        invocation.print("Do you want to continue? [Y/n] Abort.\n");
        return 1;
    }
    let fetched = match fetch(invocation, wishes, packages, &plan).await {
        Ok(fetched) => fetched,
        Err(status) => return status,
    };
    if let Some(status) = check_room(invocation, fetched, &plan) {
        return status;
    }
    invocation.is_on_terminal = wishes.quiet < 2;
    let failed_ones = change(invocation, packages, &plan, purges).await;
    invocation.is_on_terminal = false;
    let now = invocation.now();
    let root = crate::files::Credentials::root();
    invocation.host(|host| {
        let path = "/var/lib/apt/extended_states";
        // What apt itself remembers; nothing reads it here.
        let _ = host.files.write(path, "", 0o644, &root, now);
    });
    if failed_ones.is_empty() {
        return 0;
    }
    failed(invocation, &failed_ones)
}

/// Lets dpkg do it; returns the packages that it fails with.
async fn change(
    invocation: &mut Invocation,
    packages: &Packages,
    plan: &Plan,
    purges: bool,
) -> Vec<String> {
    let mut reading = Reading::default();
    for name in removal_order(packages, &plan.remove) {
        if dpkg::remove(invocation, &name, &mut reading).await != 0 {
            return vec![name];
        }
    }
    if purges {
        let left = |name: &&String| {
            invocation.host(|host| host.packages.installed.contains_key(name.as_str()))
        };
        let left: Vec<String> = plan.remove.iter().filter(left).cloned().collect();
        let mut reading = Reading::default();
        for name in left {
            if dpkg::purge(invocation, &name, &mut reading).await != 0 {
                return vec![name];
            }
        }
    }
    let unpacks = plan.unpacks();
    let mut reading = Reading::default();
    for package in &unpacks {
        let is_automatic = plan.automatic.contains(&package.name);
        if dpkg::unpack(invocation, package, is_automatic, &mut reading).await != 0 {
            return vec![package.name.clone()];
        }
    }
    let mut broken = Vec::new();
    for name in setup_order(&unpacks) {
        if dpkg::configure(invocation, &name).await != 0 {
            broken.push(name);
        }
    }
    run_triggers(invocation, packages, plan);
    broken
}

/// Says what would happen, as `-s` does.
fn simulate(invocation: &mut Invocation, packages: &Packages, plan: &Plan) {
    let mut text = String::new();
    for name in removal_order(packages, &plan.remove) {
        let version = packages
            .installed
            .get(&name)
            .map(|one| one.package.version.clone());
        text.push_str(&format!("Remv {name} [{}]\n", version.unwrap_or_default()));
    }
    let unpacks = plan.unpacks();
    for verb in ["Inst", "Conf"] {
        for package in &unpacks {
            let old = packages.get(&package.name).map(|one| &one.package.version);
            let old = old.filter(|_| verb == "Inst");
            let old = old.map_or_else(String::new, |old| format!(" [{old}]"));
            let offers = packages.offers(&package.name);
            let suite = offers
                .first()
                .map_or("now", |(index, _)| index.suite.as_str());
            text.push_str(&format!(
                "{verb} {}{old} ({} {suite} [{}])\n",
                package.name, package.version, package.architecture
            ));
        }
    }
    invocation.print(&text);
}

fn set_automatic(packages: &mut Packages, name: &str, is_automatic: bool) {
    if let Some(one) = Arc::make_mut(&mut packages.installed).get_mut(name) {
        one.is_automatic = is_automatic;
    }
}

fn failed(invocation: &mut Invocation, names: &[String]) -> u8 {
    invocation.complain("Errors were encountered while processing:\n");
    for name in names {
        invocation.complain(&format!(" {name}\n"));
    }
    invocation.complain("E: Sub-process /usr/bin/dpkg returned an error code (1)\n");
    100
}

/// Refuses what the disk has no room for, as apt does before it begins.
fn check_room(invocation: &mut Invocation, fetched: u64, plan: &Plan) -> Option<u8> {
    let needed: u64 = plan.unpacks().iter().map(|one| one.installed_size).sum();
    let free = invocation.host(|host| host.disk_free("/var/cache/apt/archives"));
    if free >= needed + fetched {
        return None;
    }
    invocation.complain("E: You don't have enough free space in /var/cache/apt/archives/.\n");
    Some(100)
}

/// Fetches the archives; returns how many bytes they have.
async fn fetch(
    invocation: &mut Invocation,
    wishes: &Wishes,
    packages: &Packages,
    plan: &Plan,
) -> Result<u64, u8> {
    let unpacks = plan.unpacks();
    let total: u64 = unpacks.iter().map(|package| package.size).sum();
    let grows: i64 = unpacks
        .iter()
        .map(|package| package.installed_size as i64)
        .sum();
    let shrinks: i64 = plan
        .remove
        .iter()
        .filter_map(|name| packages.get(name))
        .map(|one| one.package.installed_size as i64)
        .sum();
    if wishes.quiet < 2 {
        if !unpacks.is_empty() {
            invocation.print(&format!("Need to get {} of archives.\n", bytes(total)));
        }
        let difference = grows - shrinks;
        let space = bytes(difference.unsigned_abs());
        invocation.print(&match difference {
            ..0 => format!("After this operation, {space} disk space will be freed.\n"),
            _ => format!("After this operation, {space} of additional disk space will be used.\n"),
        });
    }
    let has_helper = packages.get("apt-utils").is_some();
    if !unpacks.is_empty() && !has_helper {
        invocation.complain(
            "debconf: delaying package configuration, since apt-utils is not installed\n",
        );
    }
    let started = invocation.fleet.elapsed();
    let own = super::architecture(invocation);
    for (index, package) in unpacks.iter().enumerate() {
        let offer = packages.offers(&package.name).into_iter();
        let mut offer = offer.filter(|(_, one)| one.version == package.version);
        let Some((source, _)) = offer.next() else {
            continue;
        };
        let (url, suite, component) = (&source.url, &source.suite, &source.component);
        let line = format!(
            "{url} {suite}/{component} {own} {} {} {}",
            package.name, package.architecture, package.version
        );
        if wishes.quiet < 2 {
            let size = bytes(package.size);
            invocation.print(&format!("Get:{} {line} [{size}]\n", index + 1));
        }
        if let Err(reason) = get(invocation, url, suite, package).await {
            invocation.print(&format!("Err:{} {line}\n  {reason}\n", index + 1));
            invocation.complain(&format!(
                "E: Failed to fetch {url}/dists/{suite}/pool/{component}/{own}/{}_{}.deb  {reason}\n\
                 E: Unable to fetch some archives, maybe run apt-get update or try with \
                 --fix-missing?\n",
                package.name, package.version
            ));
            return Err(100);
        }
    }
    let time = invocation.fleet.elapsed() - started;
    if !unpacks.is_empty() && wishes.quiet < 2 {
        let rate = total as f64 / time.as_secs_f64().max(0.01);
        invocation.print(&format!(
            "Fetched {} in {} ({}/s)\n",
            bytes(total),
            duration(time),
            bytes(rate as u64)
        ));
    }
    Ok(total)
}

async fn get(
    invocation: &mut Invocation,
    url: &str,
    suite: &str,
    package: &Package,
) -> Result<(), String> {
    let parsed = Url::parse(&format!("{url}/dists/{suite}/pool")).ok_or("no address")?;
    let found = web::fetch(
        &invocation.fleet,
        invocation.host,
        &parsed,
        &web::Request::GET,
    )
    .await;
    let page = match found {
        Ok(page) => page,
        Err(Unfetched::NoName) => return Err(format!("Could not resolve '{}'", parsed.host)),
        Err(_) => {
            let (host, port) = (&parsed.host, parsed.port);
            return Err(format!(
                "Could not connect to {host}:{port}. - connect (111: Connection refused)"
            ));
        }
    };
    if page.status >= 500 {
        return Err(format!("{}  Internal Server Error", page.status));
    }
    let seconds = package.size as f64 / page.bandwidth.max(1) as f64;
    invocation
        .sleep(web::ROUND_TRIP + Duration::from_secs_f64(seconds))
        .await;
    Ok(())
}
