//! What is to be done, as the words of a command line mean it.

use std::sync::Arc;

use super::problem::Ask;
use super::select;
use super::wishes::Wishes;
use crate::packages::rpm::nevra;
use crate::packages::rpm::plan::{Job, Offer, Pool};
use crate::packages::rpm::version::compare;
use crate::program::Invocation;

/// Returns what is to be done, and what was asked for.
pub(super) fn jobs(
    invocation: &mut Invocation,
    wishes: &Wishes,
    pool: &Pool,
) -> Result<(Vec<Job>, Ask), u8> {
    match wishes.command.as_str() {
        "install" => installs(invocation, wishes, pool).map(|jobs| (jobs, Ask::Install)),
        "remove" => removals(invocation, wishes, pool).map(|jobs| (jobs, Ask::Install)),
        "autoremove" => Ok((unneeded(pool), Ask::Install)),
        "reinstall" => reinstalls(invocation, wishes, pool).map(|jobs| (jobs, Ask::Install)),
        "downgrade" => downgrades(invocation, wishes, pool).map(|jobs| (jobs, Ask::Upgrade)),
        _ if wishes.names.is_empty() => Ok((everything(pool), Ask::UpgradeAll)),
        _ => upgrades(invocation, wishes, pool).map(|jobs| (jobs, Ask::Upgrade)),
    }
}

pub(super) fn say(invocation: &mut Invocation, wishes: &Wishes, text: &str) {
    if !wishes.is_quiet {
        invocation.print(&format!("{text}\n"));
    }
}

fn installs(invocation: &mut Invocation, wishes: &Wishes, pool: &Pool) -> Result<Vec<Job>, u8> {
    let (mut jobs, mut missing) = (Vec::new(), Vec::new());
    for name in &wishes.names {
        let offers = select::offers_for(pool, name);
        let here = select::here_for(pool, name);
        if offers.is_empty() && here.is_empty() {
            say(
                invocation,
                wishes,
                &format!("No match for argument: {name}"),
            );
            missing.push(name.clone());
            continue;
        }
        for one in &here {
            let text = format!("Package {} is already installed.", nevra(&one.package));
            say(invocation, wishes, &text);
            set_asked_for(invocation, &one.package.name);
        }
        // Of every name that is meant the best one; nothing older than what is there, unless the
        // version was asked for.
        let mut names: Vec<&str> = offers.iter().map(|one| one.package.name.as_str()).collect();
        names.dedup();
        for own in names {
            let of_it = offers.iter().filter(|one| one.package.name == own);
            let of_it: Vec<Offer> = of_it.map(|one| (*one).clone()).collect();
            let is_plain = select::is_meant(&crate::packages::Package::base(own, "", ""), name);
            let is_there = pool.here.get(own);
            let fits = |offer: &Offer| match is_there {
                None => true,
                Some(here) => {
                    let order = compare(&offer.package.version, &here.package.version);
                    order.is_gt() || (!is_plain && order.is_ne())
                }
            };
            let is_met = is_there.is_some_and(|here| {
                !is_plain
                    && of_it
                        .iter()
                        .any(|one| one.package.version == here.package.version)
            });
            let fitting: Vec<Offer> = of_it.into_iter().filter(|one| fits(one)).collect();
            if !fitting.is_empty() && !is_met {
                jobs.push(Job::Install(fitting));
            }
        }
    }
    if missing.is_empty() || wishes.skips_broken {
        return Ok(jobs);
    }
    let names = missing.join(" ");
    invocation.complain(&format!("Error: Unable to find a match: {names}\n"));
    Err(1)
}

fn set_asked_for(invocation: &Invocation, name: &str) {
    invocation.host(|host| {
        if let Some(one) = Arc::make_mut(&mut host.packages.installed).get_mut(name) {
            one.is_automatic = false;
        }
    });
}

fn removals(invocation: &mut Invocation, wishes: &Wishes, pool: &Pool) -> Result<Vec<Job>, u8> {
    let mut jobs = Vec::new();
    for name in &wishes.names {
        let here = select::here_for(pool, name);
        if here.is_empty() {
            say(
                invocation,
                wishes,
                &format!("No match for argument: {name}"),
            );
        }
        jobs.extend(
            here.into_iter()
                .map(|one| Job::Remove(one.package.name.clone())),
        );
    }
    let kept = ["dnf", "yum", "rpm"].iter();
    let mut kept = kept.filter(|name| jobs.contains(&Job::Remove((**name).to_owned())));
    if let Some(name) = kept.next() {
        invocation.complain(&format!(
            "Error: \n Problem: The operation would result in removing the following protected \
             packages: {name}\n"
        ));
        return Err(1);
    }
    if jobs.is_empty() {
        if !wishes.is_quiet {
            invocation.complain("No packages marked for removal.\n");
        }
        say(invocation, wishes, "Dependencies resolved.");
        say(invocation, wishes, "Nothing to do.\nComplete!");
        return Err(0);
    }
    Ok(jobs)
}

/// Returns what came with others and is needed by none.
fn unneeded(pool: &Pool) -> Vec<Job> {
    let mut gone: Vec<&str> = Vec::new();
    loop {
        let is_needed = |name: &str| {
            let package = &pool.here[name].package;
            let others = pool.here.values();
            others
                .filter(|other| other.package.name != name)
                .filter(|other| !gone.contains(&other.package.name.as_str()))
                .any(|other| {
                    let mut needs = crate::packages::rpm::needs(&other.package);
                    needs.any(|need| crate::packages::rpm::meets(package, need))
                })
        };
        let next = pool.here.iter().find(|(name, one)| {
            one.is_automatic && !gone.contains(&name.as_str()) && !is_needed(name)
        });
        let Some((name, _)) = next else { break };
        gone.push(name);
    }
    gone.into_iter()
        .map(|name| Job::Remove(name.to_owned()))
        .collect()
}

fn reinstalls(invocation: &mut Invocation, wishes: &Wishes, pool: &Pool) -> Result<Vec<Job>, u8> {
    let mut jobs = Vec::new();
    for name in &wishes.names {
        let here = select::here_for(pool, name);
        if here.is_empty() {
            if !select::offers_for(pool, name).is_empty() {
                let text = format!("Package {name} available, but not installed.");
                say(invocation, wishes, &text);
            }
            say(
                invocation,
                wishes,
                &format!("No match for argument: {name}"),
            );
        }
        for one in here {
            let offers = pool.offers_of(&one.package.name).into_iter();
            let mut same = offers.filter(|offer| offer.package.version == one.package.version);
            match same.next() {
                Some(offer) => jobs.push(Job::Install(vec![offer.clone()])),
                None => {
                    let name = nevra(&one.package);
                    let text = format!("Installed package {name} not available.");
                    say(invocation, wishes, &text);
                }
            }
        }
    }
    some(invocation, jobs, "reinstall")
}

fn some(invocation: &mut Invocation, jobs: Vec<Job>, verb: &str) -> Result<Vec<Job>, u8> {
    if jobs.is_empty() {
        invocation.complain(&format!("Error: No packages marked for {verb}.\n"));
        return Err(1);
    }
    Ok(jobs)
}

fn downgrades(invocation: &mut Invocation, wishes: &Wishes, pool: &Pool) -> Result<Vec<Job>, u8> {
    let mut jobs = Vec::new();
    for word in &wishes.names {
        let offers = select::offers_for(pool, word);
        let named = pool
            .here
            .get(word.as_str())
            .map(|one| one.package.name.clone());
        let name = offers.first().map(|one| one.package.name.clone()).or(named);
        let Some(here) = name.and_then(|name| pool.here.get(&name)) else {
            say(
                invocation,
                wishes,
                &format!("No match for argument: {word}"),
            );
            continue;
        };
        let is_older = |one: &&&Offer| {
            one.package.name == here.package.name
                && compare(&one.package.version, &here.package.version).is_lt()
        };
        match offers.iter().find(is_older) {
            Some(offer) => jobs.push(Job::Install(vec![(*offer).clone()])),
            None if offers.is_empty() => {
                let text = format!("Packages for argument {word} available, but not installed.");
                say(invocation, wishes, &text);
            }
            None => invocation.complain(&format!(
                "Package {} of lowest version already installed, cannot downgrade it.\n",
                here.package.name
            )),
        }
    }
    some(invocation, jobs, "downgrade")
}

/// Returns what brings everything up to date.
fn everything(pool: &Pool) -> Vec<Job> {
    let mut jobs = Vec::new();
    for name in pool.here.keys() {
        let successor = pool.successors_of(name).into_iter().next();
        let update = successor.or_else(|| pool.update_of(name));
        jobs.extend(update.map(|offer| Job::Install(vec![offer.clone()])));
    }
    jobs
}

fn upgrades(invocation: &mut Invocation, wishes: &Wishes, pool: &Pool) -> Result<Vec<Job>, u8> {
    let (mut jobs, mut is_known) = (Vec::new(), false);
    for word in &wishes.names {
        let offers = select::offers_for(pool, word);
        let here = select::here_for(pool, word);
        if offers.is_empty() && here.is_empty() {
            say(
                invocation,
                wishes,
                &format!("No match for argument: {word}"),
            );
            continue;
        }
        let is_there = |offer: &&&Offer| pool.here.contains_key(&offer.package.name);
        if here.is_empty() && !offers.iter().any(|offer| is_there(&offer)) {
            let text = format!("Packages for argument {word} available, but not installed.");
            say(invocation, wishes, &text);
            say(
                invocation,
                wishes,
                &format!("No match for argument: {word}"),
            );
            continue;
        }
        is_known = true;
        let newer = offers.iter().filter(|offer| {
            pool.here
                .get(&offer.package.name)
                .is_some_and(|here| compare(&offer.package.version, &here.package.version).is_gt())
        });
        let newer: Vec<Offer> = newer.map(|offer| (*offer).clone()).collect();
        if !newer.is_empty() {
            jobs.push(Job::Install(newer));
        }
    }
    if !is_known {
        return some(invocation, Vec::new(), "upgrade");
    }
    Ok(jobs)
}
