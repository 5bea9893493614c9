//! `apt-cache`, `apt-mark`, `apt list`.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::packages::{Package, Packages, State};
use crate::program::Invocation;

pub(super) fn apt_cache(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        invocation.spend(crate::time::of("apt-cache")).await;
        let arguments = invocation.arguments.clone();
        if let Some(option) = arguments.iter().find(|word| word.starts_with('-')) {
            return invocation.not_simulated(&format!("option {option}"));
        }
        let Some((verb, names)) = arguments.split_first() else {
            return invocation.not_simulated("no verb");
        };
        let packages = invocation.host(|host| host.packages.clone());
        match verb.as_str() {
            "policy" if names.is_empty() => invocation.not_simulated("policy without a package"),
            "policy" => {
                let texts = names.iter().map(|name| policy(&packages, name));
                let text: String = texts.collect();
                invocation.print(&text);
                0
            }
            "madison" => {
                for name in names {
                    for (index, package) in packages.offers(name) {
                        invocation.print(&format!(
                            " {name} | {} | {} {}/{} {} Packages\n",
                            package.version,
                            index.url,
                            index.suite,
                            index.component,
                            super::architecture(invocation)
                        ));
                    }
                }
                0
            }
            "depends" => depends(invocation, &packages, names),
            "show" => show(invocation, &packages, names),
            "search" => search(invocation, &packages, names),
            "pkgnames" => {
                let offered = packages
                    .indexes
                    .iter()
                    .flat_map(|index| index.packages.iter());
                let offered = offered.map(|package| package.name.clone());
                let mut names: Vec<String> = packages.installed.keys().cloned().collect();
                names.extend(offered);
                names.sort();
                names.dedup();
                for name in names {
                    invocation.print(&format!("{name}\n"));
                }
                0
            }
            other => invocation.not_simulated(&format!("verb {other}")),
        }
    })
}

fn policy(packages: &Packages, name: &str) -> String {
    let here = packages.get(name).map(|one| Arc::clone(&one.package));
    let offers = packages.offers(name);
    if here.is_none() && offers.is_empty() {
        return String::new();
    }
    let version = |package: Option<&Arc<Package>>| {
        package.map_or_else(|| "(none)".to_owned(), |one| one.version.clone())
    };
    let candidate = packages.candidate(name);
    let mut text = format!(
        "{name}:\n  Installed: {}\n  Candidate: {}\n  Version table:\n",
        version(here.as_ref()),
        version(candidate.as_ref())
    );
    let mut versions: Vec<String> = offers.iter().map(|(_, one)| one.version.clone()).collect();
    versions.extend(here.as_ref().map(|one| one.version.clone()));
    versions.sort_by(|one, other| crate::packages::version::compare(other, one));
    versions.dedup();
    for version in versions {
        let is_here = here.as_ref().is_some_and(|one| one.version == version);
        let mark = if is_here { "***" } else { "   " };
        let sources = offers.iter().filter(|(_, one)| one.version == version);
        let sources: Vec<_> = sources.collect();
        let priority = if sources.is_empty() { 100 } else { 500 };
        text.push_str(&format!(" {mark} {version} {priority}\n"));
        for (index, _) in sources {
            text.push_str(&format!(
                "        500 {} {}/{} amd64 Packages\n",
                index.url, index.suite, index.component
            ));
        }
        if is_here {
            text.push_str("        100 /var/lib/dpkg/status\n");
        }
    }
    text
}

fn depends(invocation: &mut Invocation, packages: &Packages, names: &[String]) -> u8 {
    let mut is_any = false;
    for name in names {
        let Some(package) = packages.candidate(name) else {
            continue;
        };
        is_any = true;
        let mut text = format!("{name}\n");
        for relation in package.depends.iter().filter_map(|choice| choice.first()) {
            text.push_str(&format!("  Depends: {}\n", relation.name));
        }
        for label in ["Conflicts", "Replaces"] {
            for relation in &package.conflicts {
                text.push_str(&format!("  {label}: <{}>\n", relation.name));
            }
        }
        invocation.print(&text);
    }
    nothing_found(invocation, is_any)
}

fn nothing_found(invocation: &mut Invocation, is_any: bool) -> u8 {
    if is_any {
        return 0;
    }
    invocation.complain("E: No packages found\n");
    100
}

fn show(invocation: &mut Invocation, packages: &Packages, names: &[String]) -> u8 {
    let mut is_any = false;
    for name in names {
        if let Some(package) = packages.candidate(name) {
            is_any = true;
            let text = format!("{}\n", super::super::dpkg::stanza(&package, None));
            invocation.print(&text);
        }
    }
    nothing_found(invocation, is_any)
}

fn search(invocation: &mut Invocation, packages: &Packages, words: &[String]) -> u8 {
    for index in packages.indexes.iter() {
        for package in index.packages.iter() {
            let is_meant = |word: &String| {
                package.name.contains(word.as_str()) || package.summary.contains(word.as_str())
            };
            if words.iter().all(is_meant) {
                invocation.print(&format!("{} - {}\n", package.name, package.summary));
            }
        }
    }
    0
}

pub(super) fn apt_mark(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        invocation.spend(crate::time::of("apt-cache")).await;
        let arguments = invocation.arguments.clone();
        let Some((verb, names)) = arguments.split_first() else {
            return invocation.not_simulated("no verb");
        };
        let packages = invocation.host(|host| host.packages.clone());
        let wanted = |one: &crate::packages::Installed| match verb.as_str() {
            "showhold" => one.is_held,
            "showauto" => one.is_automatic,
            _ => !one.is_automatic && one.state == State::Installed,
        };
        match verb.as_str() {
            "showhold" | "showauto" | "showmanual" => {
                for one in packages.installed.values().filter(|one| wanted(one)) {
                    invocation.print(&format!("{}\n", one.package.name));
                }
                0
            }
            "hold" | "unhold" | "auto" | "manual" => mark(invocation, verb, names),
            other => invocation.not_simulated(&format!("verb {other}")),
        }
    })
}

fn mark(invocation: &mut Invocation, verb: &str, names: &[String]) -> u8 {
    if invocation.credentials.uid != 0 {
        invocation.complain(
            "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission \
             denied)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), \
             are you root?\n",
        );
        return 100;
    }
    let mut status = 0;
    for name in names {
        let said = invocation.host(|host| {
            let one = Arc::make_mut(&mut host.packages.installed).get_mut(name)?;
            Some(match verb {
                "hold" | "unhold" => {
                    one.is_held = verb == "hold";
                    if one.is_held {
                        format!("{name} set on hold.\n")
                    } else {
                        format!("Canceled hold on {name}.\n")
                    }
                }
                _ => {
                    one.is_automatic = verb == "auto";
                    let how = if verb == "auto" {
                        "automatically"
                    } else {
                        "manually"
                    };
                    format!("{name} set to {how} installed.\n")
                }
            })
        });
        match said {
            Some(said) => invocation.print(&said),
            None => {
                invocation.complain(&format!("E: Unable to locate package {name}\n"));
                status = 100;
            }
        }
    }
    status
}

pub(super) fn list(invocation: &mut Invocation) -> u8 {
    let arguments = invocation.arguments.clone();
    let only_installed = arguments.iter().any(|word| word == "--installed");
    let unknown = arguments.iter().skip(1);
    let mut unknown = unknown.filter(|word| word.starts_with('-') && *word != "--installed");
    if let Some(option) = unknown.next() {
        return invocation.not_simulated(&format!("option {option}"));
    }
    if !only_installed {
        return invocation.not_simulated("list without --installed");
    }
    let packages = invocation.host(|host| host.packages.clone());
    invocation.print("Listing...\n");
    for one in packages
        .installed
        .values()
        .filter(|one| one.state != State::ConfigFiles)
    {
        let package = &one.package;
        let offers = packages.offers(&package.name);
        let mut offers = offers
            .iter()
            .filter(|(_, offer)| offer.version == package.version);
        let (suite, how) = match offers.next() {
            Some((index, _)) => (index.suite.clone(), "installed"),
            None => ("now".to_owned(), "installed,local"),
        };
        invocation.print(&format!(
            "{}/{suite} {} {} [{how}]\n",
            package.name, package.version, package.architecture
        ));
    }
    0
}
