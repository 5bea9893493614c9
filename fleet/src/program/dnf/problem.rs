//! What dnf says of a transaction that cannot be.

use crate::packages::rpm::plan::Problem;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// Packages by name.
    Install,
    /// Newer versions of packages by name.
    Upgrade,
    /// Newer versions of everything.
    UpgradeAll,
}

/// Returns the text of a problem, without its first line's blank.
pub(super) fn text(problem: &Problem, ask: Ask) -> String {
    let lines = match problem {
        Problem::Missing { chain } => missing(chain, ask),
        Problem::InTheWay {
            package,
            need,
            rivals,
            candidates,
        } => in_the_way(package, need, rivals, candidates, ask),
        Problem::Conflict {
            package,
            with,
            other,
            is_here,
            others,
        } => {
            let mut lines = Vec::new();
            if *is_here {
                lines.push(format!("problem with installed package {other}"));
            }
            for one in std::iter::once(other).chain(others) {
                lines.push(format!(
                    "package {package} conflicts with {with} provided by {one}"
                ));
            }
            lines.push("conflicting requests".to_owned());
            lines
        }
    };
    format!(" Problem: {}\n", lines.join("\n  - "))
}

fn missing(chain: &[(String, String)], ask: Ask) -> Vec<String> {
    let mut lines = Vec::new();
    let Some(((package, need), before)) = chain.split_last() else {
        return lines;
    };
    for (package, need) in before {
        lines.push(format!(
            "package {package} requires {need}, but none of the providers can be installed"
        ));
    }
    let first = chain.first().map_or(package, |(first, _)| first);
    lines.push(match ask {
        Ask::Install => "conflicting requests".to_owned(),
        Ask::Upgrade | Ask::UpgradeAll => {
            format!("cannot install the best update candidate for package {first}")
        }
    });
    lines.push(format!("nothing provides {need} needed by {package}"));
    lines
}

fn in_the_way(
    package: &str,
    need: &str,
    rivals: &[(String, String)],
    candidates: &[String],
    ask: Ask,
) -> Vec<String> {
    let mut lines = Vec::new();
    if ask != Ask::UpgradeAll {
        lines.push(format!("problem with installed package {package}"));
    }
    lines.push(format!(
        "package {package} requires {need}, but none of the providers can be installed"
    ));
    for (new, old) in rivals {
        lines.push(format!("cannot install both {new} and {old}"));
    }
    match ask {
        Ask::Install => lines.push("conflicting requests".to_owned()),
        Ask::Upgrade | Ask::UpgradeAll => {
            let own = candidates.iter();
            let own = own.filter(|one| ask == Ask::UpgradeAll || *one != package);
            lines.extend(
                own.map(|one| {
                    format!("cannot install the best update candidate for package {one}")
                }),
            );
        }
    }
    lines
}

/// Returns what dnf advises.
pub(super) fn advice(problems: &[Problem], is_best: bool, may_erase: bool) -> String {
    let is_in_the_way = problems.iter().any(|problem| match problem {
        Problem::InTheWay { .. } => true,
        Problem::Conflict { is_here, .. } => *is_here,
        Problem::Missing { .. } => false,
    });
    let mut parts = Vec::new();
    if is_in_the_way && !may_erase {
        parts.push("'--allowerasing' to command line to replace conflicting packages");
    }
    parts.push("'--skip-broken' to skip uninstallable packages");
    if is_best {
        parts.push("'--nobest' to use not only best candidate packages");
    }
    format!("(try to add {})\n", parts.join(" or "))
}
