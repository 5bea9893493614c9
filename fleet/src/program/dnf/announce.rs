//! What dnf shows before it does anything.

use std::sync::Arc;

use super::table::{self, WIDTH, number};
use super::transaction::{Way, kept_at, origin, way};
use crate::packages::Package;
use crate::packages::rpm::plan::{Arrival, Plan, Reason};
use crate::program::Invocation;

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

pub(super) fn say_sizes(invocation: &mut Invocation, plan: &Plan) {
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
