//! What zypper shows before it does anything.

use super::table::{bytes, names};
use crate::packages::rpm::plan::{Arrival, Plan};
use crate::packages::rpm::version::compare;
use crate::program::Invocation;

/// The packages that come in a way, by name.
fn coming(plan: &Plan, fits: impl Fn(&Arrival) -> bool) -> Vec<String> {
    let own = plan.arrivals.iter().filter(|one| fits(one));
    let mut names: Vec<String> = own.map(|one| one.offer.package.name.clone()).collect();
    names.sort();
    names
}

pub(super) fn order(arrival: &Arrival) -> Option<std::cmp::Ordering> {
    let old = arrival.old.as_ref()?;
    Some(compare(&arrival.offer.package.version, &old.version))
}

/// Shows what will happen.
pub(super) fn announce(invocation: &mut Invocation, plan: &Plan) {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let new = coming(plan, |one| order(one).is_none());
    let newer = coming(plan, |one| order(one) == Some(Greater));
    let older = coming(plan, |one| order(one) == Some(Less));
    let again = coming(plan, |one| order(one) == Some(Equal));
    let mut gone: Vec<String> = plan
        .removals
        .iter()
        .map(|(one, _)| one.name.clone())
        .collect();
    let obsoleted = plan.arrivals.iter().flat_map(|one| &one.obsoleted);
    gone.extend(obsoleted.map(|one| one.name.clone()));
    gone.sort();
    let mut text = String::new();
    let groups = [
        ("NEW ", "installed", &new),
        ("", "REMOVED", &gone),
        ("", "upgraded", &newer),
        ("", "downgraded", &older),
        ("", "reinstalled", &again),
    ];
    for (kind, what, list) in groups.into_iter().filter(|(.., list)| !list.is_empty()) {
        let head = match list.len() {
            1 => format!("The following {kind}package is"),
            count => format!("The following {count} {kind}packages are"),
        };
        text.push_str(&format!("\n{head} going to be {what}:\n{}", names(list)));
    }
    text.push_str(&unsupported(plan));
    text.push_str(&summary([
        newer.len(),
        older.len(),
        new.len(),
        again.len(),
        gone.len(),
    ]));
    text.push_str(&room(plan));
    text.push_str("Continue? [y/n/v/...? shows all options] (y): y\n");
    invocation.print(&text);
}

/// Says which packages come from somebody else.
fn unsupported(plan: &Plan) -> String {
    let foreign = coming(plan, |one| !one.offer.package.vendor.starts_with("SUSE"));
    let list = names(&foreign);
    match foreign.len() {
        0 => String::new(),
        1 => format!("\nThe following package has no support information from its vendor:\n{list}"),
        count => format!(
            "\nThe following {count} packages have no support information from their vendor:\n{list}"
        ),
    }
}

fn summary([newer, older, new, again, gone]: [usize; 5]) -> String {
    let rows = [
        (newer, "to upgrade"),
        (older, "to downgrade"),
        (new, "new"),
        (again, "to reinstall"),
        (gone, "to remove"),
    ];
    let mut parts = Vec::new();
    for (count, what) in rows.into_iter().filter(|(count, _)| *count > 0) {
        let word = if count == 1 { "package" } else { "packages" };
        parts.push(match (parts.is_empty(), what) {
            (true, "new") => format!("{count} new {word} to install"),
            (true, what) => format!("{count} {word} {what}"),
            (false, what) => format!("{count} {what}"),
        });
    }
    format!("\n{}.\n", parts.join(", "))
}

fn room(plan: &Plan) -> String {
    let arriving = || plan.arrivals.iter().map(|one| &one.offer.package);
    let fetched: u64 = arriving().map(|package| package.size).sum();
    let came: u64 = arriving().map(|package| package.installed_size).sum();
    let old = plan
        .arrivals
        .iter()
        .flat_map(|one| one.old.iter().chain(&one.obsoleted));
    let removed = plan.removals.iter().map(|(package, _)| package);
    let went: u64 = old
        .chain(removed)
        .map(|package| package.installed_size)
        .sum();
    let change = match came.cmp(&went) {
        std::cmp::Ordering::Equal => {
            "No additional space will be used or freed after the operation.".to_owned()
        }
        std::cmp::Ordering::Greater => format!(
            "After the operation, additional {} will be used.",
            bytes(came - went)
        ),
        std::cmp::Ordering::Less => {
            format!("After the operation, {} will be freed.", bytes(went - came))
        }
    };
    match plan.arrivals.is_empty() {
        true => format!("{change}\n"),
        false => format!(
            "Overall download size: {}. Already cached: 0 B. {change}\n",
            bytes(fetched)
        ),
    }
}
