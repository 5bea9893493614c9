//! What is installed.

use std::fmt::Write as _;

use futures_util::future::BoxFuture;

use crate::packages::{Installed, Package, Paths, State, version};
use crate::program::Invocation;

pub(super) fn dpkg_query(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        invocation.spend(crate::time::of("dpkg-query")).await;
        let arguments = invocation.arguments.clone();
        run(invocation, &arguments)
    })
}

pub(super) fn run(invocation: &mut Invocation, arguments: &[String]) -> u8 {
    let mut verb = None;
    let mut format = None;
    let mut names = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-W" | "--show" => verb = Some('W'),
            "-Wf" => (verb, format) = (Some('W'), words.next().cloned()),
            "-l" | "--list" => verb = Some('l'),
            "-s" | "--status" => verb = Some('s'),
            "-L" | "--listfiles" => verb = Some('L'),
            "-S" | "--search" => verb = Some('S'),
            "-f" | "--showformat" => format = words.next().cloned(),
            word => match word
                .strip_prefix("-f")
                .or_else(|| word.strip_prefix("--showformat="))
            {
                Some(rest) => format = Some(rest.trim_start_matches('=').to_owned()),
                None if word.starts_with('-') => {
                    return invocation.not_simulated(&format!("option {word}"));
                }
                None => names.push(word.to_owned()),
            },
        }
    }
    match verb {
        Some('W') => show(invocation, &names, format.as_deref()),
        Some('l') => list(invocation, &names),
        Some('s') => status(invocation, &names),
        Some('L') => files(invocation, &names),
        Some('S') => search(invocation, &names),
        _ => invocation.not_simulated("no action"),
    }
}

fn chosen(invocation: &Invocation, names: &[String]) -> (Vec<Installed>, Vec<String>) {
    let packages = invocation.host(|host| host.packages.clone());
    if names.is_empty() {
        return (packages.installed.values().cloned().collect(), Vec::new());
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for pattern in names {
        let fits = |name: &str| crate::shell::pattern::fits(pattern, name);
        let fitting = packages.installed.iter().filter(|(name, _)| fits(name));
        let fitting: Vec<Installed> = fitting.map(|(_, one)| one.clone()).collect();
        if fitting.is_empty() {
            missing.push(pattern.clone());
        }
        found.extend(fitting);
    }
    (found, missing)
}

/// The same in the order of names, as tables and formats show it.
fn sorted(invocation: &Invocation, names: &[String]) -> (Vec<Installed>, Vec<String>) {
    let (mut found, missing) = chosen(invocation, names);
    found.sort_by(|one, other| one.package.name.cmp(&other.package.name));
    found.dedup_by(|one, other| one.package.name == other.package.name);
    (found, missing)
}

fn show(invocation: &mut Invocation, names: &[String], format: Option<&str>) -> u8 {
    let format = format
        .unwrap_or("${binary:Package}\\t${Version}\\n")
        .to_owned();
    let (found, missing) = sorted(invocation, names);
    for name in &missing {
        invocation.complain(&format!("dpkg-query: no packages found matching {name}\n"));
    }
    for one in &found {
        match render(&format, one) {
            Ok(text) => invocation.print(&text),
            Err(field) => return invocation.not_simulated(&format!("field {field}")),
        }
    }
    u8::from(!missing.is_empty())
}

/// Fills in a format of `dpkg-query -f`.
fn render(format: &str, one: &Installed) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = format;
    while let Some(at) = rest.find(['$', '\\']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(inner) = rest.strip_prefix("${") {
            let (field, after) = inner.split_once('}').unwrap_or((inner, ""));
            let (field, width) = field.split_once(';').unwrap_or((field, ""));
            let value = field_of(field, one).ok_or_else(|| field.to_owned())?;
            match width.parse::<isize>() {
                Ok(width) if width >= 0 => {
                    let _ = write!(text, "{value:>width$}", width = width as usize);
                }
                Ok(width) => {
                    let _ = write!(text, "{value:<width$}", width = width.unsigned_abs());
                }
                Err(_) => text.push_str(&value),
            }
            rest = after;
        } else {
            let (escape, after) = rest.split_at(rest.len().min(2));
            text.push_str(match escape {
                "\\n" => "\n",
                "\\t" => "\t",
                "\\r" => "\r",
                "\\\\" => "\\",
                other => other,
            });
            rest = after;
        }
    }
    text.push_str(rest);
    Ok(text)
}

fn field_of(field: &str, one: &Installed) -> Option<String> {
    let package = &one.package;
    let want = match (one.is_held, one.state) {
        (true, _) => "hold",
        (false, State::ConfigFiles) => "deinstall",
        (false, _) => "install",
    };
    Some(match field {
        "Package" | "binary:Package" => package.name.clone(),
        "Version" => package.version.clone(),
        "Architecture" => package.architecture.clone(),
        "db:Status-Status" => one.state.word().to_owned(),
        "db:Status-Want" => want.to_owned(),
        "db:Status-Eflag" => "ok".to_owned(),
        "db:Status-Abbrev" => {
            let first = want.chars().next().unwrap_or('i');
            let first = if first == 'd' { 'r' } else { first };
            format!("{first}{} ", one.state.letter())
        }
        "Status" => format!("{want} ok {}", one.state.word()),
        "Installed-Size" => (package.installed_size / 1024).to_string(),
        "binary:Summary" | "Description" => package.summary.clone(),
        "Section" => package.section.clone(),
        "Priority" => package.priority.clone(),
        _ => return None,
    })
}

fn list(invocation: &mut Invocation, names: &[String]) -> u8 {
    let (found, missing) = sorted(invocation, names);
    for name in &missing {
        invocation.complain(&format!("dpkg-query: no packages found matching {name}\n"));
    }
    if found.is_empty() {
        return u8::from(!missing.is_empty());
    }
    let width = |least: usize, column: fn(&Installed) -> usize| {
        found.iter().map(column).max().unwrap_or(0).max(least)
    };
    let name = width(14, |one| one.package.name.len());
    let version = width(12, |one| one.package.version.len());
    let summary = width(11, |one| one.package.summary.len());
    let line = |count: usize| "=".repeat(count);
    let mut text = format!(
        "Desired=Unknown/Install/Remove/Purge/Hold\n| \
         Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n|/ \
         Err?=(none)/Reinst-required (Status,Err: uppercase=bad)\n||/ {:name$} {:version$} {:12} \
         Description\n+++-{}-{}-{}-{}\n",
        "Name",
        "Version",
        "Architecture",
        line(name),
        line(version),
        line(12),
        line(summary)
    );
    for one in &found {
        let package = &one.package;
        let want = match (one.is_held, one.state) {
            (true, _) => 'h',
            (false, State::ConfigFiles) => 'r',
            (false, _) => 'i',
        };
        let row = format!(
            "{want}{}  {:name$} {:version$} {:12} {}",
            one.state.letter(),
            package.name,
            package.version,
            package.architecture,
            package.summary
        );
        text.push_str(&format!("{}\n", row.trim_end()));
    }
    invocation.print(&text);
    u8::from(!missing.is_empty())
}

/// Returns the fields of a package; with its state where it is installed.
pub(crate) fn stanza(package: &Package, state: Option<State>) -> String {
    let mut text = format!("Package: {}\n", package.name);
    // Writing to a string cannot fail.
    if let Some(state) = state {
        let want = if state == State::ConfigFiles {
            "deinstall"
        } else {
            "install"
        };
        let _ = writeln!(text, "Status: {want} ok {}", state.word());
    }
    let _ = writeln!(
        text,
        "Priority: {}\nSection: {}",
        package.priority, package.section
    );
    let _ = writeln!(text, "Installed-Size: {}", package.installed_size / 1024);
    let _ = writeln!(
        text,
        "Architecture: {}\nVersion: {}",
        package.architecture, package.version
    );
    let choices = package.depends.iter().map(|choice| {
        let words = choice.iter().map(ToString::to_string);
        words.collect::<Vec<_>>().join(" | ")
    });
    let depends: Vec<String> = choices.collect();
    if !depends.is_empty() {
        let _ = writeln!(text, "Depends: {}", depends.join(", "));
    }
    let conflicts: Vec<String> = package.conflicts.iter().map(ToString::to_string).collect();
    if !conflicts.is_empty() {
        let _ = writeln!(text, "Conflicts: {}", conflicts.join(", "));
    }
    let _ = writeln!(text, "Description: {}", package.summary);
    text
}

fn status(invocation: &mut Invocation, names: &[String]) -> u8 {
    let (found, missing) = chosen(invocation, names);
    for one in &found {
        let text = stanza(&one.package, Some(one.state));
        invocation.print(&text);
    }
    for name in &missing {
        invocation.complain(&format!(
            "dpkg-query: package '{name}' is not installed and no information is available\nUse \
             dpkg --info (= dpkg-deb --info) to examine archive files.\n"
        ));
    }
    u8::from(!missing.is_empty())
}

fn files(invocation: &mut Invocation, names: &[String]) -> u8 {
    let (found, missing) = chosen(invocation, names);
    for one in &found {
        if let Paths::All(_) = one.package.paths {
            for path in one.package.paths.known() {
                invocation.print(&format!("{path}\n"));
            }
            continue;
        }
        if one.package.files.is_empty() {
            return invocation.not_simulated(&format!("files of {}", one.package.name));
        }
        invocation.print("/.\n");
        let mut seen = std::collections::BTreeSet::new();
        for file in &one.package.files {
            let path = file.path();
            for (at, _) in path.match_indices('/').skip(1) {
                if seen.insert(path[..at].to_owned()) {
                    invocation.print(&format!("{}\n", &path[..at]));
                }
            }
            if seen.insert(path.to_owned()) {
                invocation.print(&format!("{path}\n"));
            }
        }
    }
    for name in &missing {
        invocation.complain(&format!(
            "dpkg-query: package '{name}' is not installed\nUse dpkg --contents (= dpkg-deb \
             --contents) to list archive files contents.\n"
        ));
    }
    u8::from(!missing.is_empty())
}

fn search(invocation: &mut Invocation, paths: &[String]) -> u8 {
    let packages = invocation.host(|host| host.packages.clone());
    let mut status = 0;
    for path in paths {
        let owner = packages.installed.values().find(|one| {
            let package = &one.package;
            package.files.iter().any(|file| file.path() == path)
                || package.paths.known().any(|known| known == path)
        });
        match owner {
            Some(one) => invocation.print(&format!("{}: {path}\n", one.package.name)),
            None => {
                invocation.complain(&format!(
                    "dpkg-query: no path found matching pattern {path}\n"
                ));
                status = 1;
            }
        }
    }
    status
}

/// `dpkg --compare-versions ONE OPERATOR OTHER`.
pub(super) fn compare(invocation: &mut Invocation, words: &[String]) -> u8 {
    let [one, operator, other] = words else {
        invocation.complain(
            "dpkg: error: --compare-versions takes three arguments: <version> <relation> \
             <version>\n",
        );
        return 2;
    };
    let order = version::compare(one, other);
    let is_so = match operator.as_str() {
        "lt" | "<<" => order.is_lt(),
        "le" | "<=" | "<" => order.is_le(),
        "eq" | "=" => order.is_eq(),
        "ne" => order.is_ne(),
        "ge" | ">=" | ">" => order.is_ge(),
        "gt" | ">>" => order.is_gt(),
        other => return invocation.not_simulated(&format!("relation {other}")),
    };
    u8::from(!is_so)
}
