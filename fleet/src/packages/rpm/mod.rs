//! Packages of rpm: their names, what they provide and need, and what a transaction leads to.

pub mod plan;
pub mod repofile;
pub mod version;

use super::{Comparison, Package, Relation};
pub use version::Evr;

/// The name by which rpm and dnf list a package: `name-[epoch:]version-release.architecture`.
pub fn nevra(package: &Package) -> String {
    let Package {
        name,
        version,
        architecture,
        ..
    } = package;
    format!("{name}-{version}.{architecture}")
}

/// The same without its epoch: the name of its file.
pub fn nvra(package: &Package) -> String {
    let version = without_epoch(&package.version);
    format!("{}-{version}.{}", package.name, package.architecture)
}

/// Returns version and release.
pub fn without_epoch(version: &str) -> &str {
    version.split_once(':').map_or(version, |(_, rest)| rest)
}

/// Reads `name` or `name >= 1.2`.
pub fn relation(text: &str) -> Relation {
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_default().to_owned();
    let comparison = match words.next() {
        Some("=" | "==") => Some(Comparison::Exactly),
        Some("<") => Some(Comparison::Below),
        Some(">") => Some(Comparison::Above),
        Some("<=") => Some(Comparison::AtMost),
        Some(">=") => Some(Comparison::AtLeast),
        _ => None,
    };
    let version = comparison.zip(words.next().map(str::to_owned));
    Relation { name, version }
}

/// Writes a relation as rpm does.
pub fn show(relation: &Relation) -> String {
    let Some((comparison, version)) = &relation.version else {
        return relation.name.clone();
    };
    let sign = match comparison {
        Comparison::AtLeast => ">=",
        Comparison::Exactly => "=",
        Comparison::Below => "<",
        Comparison::Above => ">",
        Comparison::AtMost => "<=",
    };
    format!("{} {sign} {version}", relation.name)
}

/// Returns whether what is provided is among what is wanted: whether both name a common version.
pub fn overlaps(provided: &Relation, wanted: &Relation) -> bool {
    if provided.name != wanted.name {
        return false;
    }
    let (Some((sense, version)), Some((wanted_sense, wanted_version))) =
        (&provided.version, &wanted.version)
    else {
        // Without a version all of them are meant; what provides none meets no wish for one.
        return wanted.version.is_none() || provided.version.is_some();
    };
    let order = version::compare(version, wanted_version);
    let (less, more) = (reach(*sense), reach(*wanted_sense));
    match order {
        std::cmp::Ordering::Equal => {
            (less.equal && more.equal) || (less.below && more.below) || (less.above && more.above)
        }
        // The provided version is the lower one: it must reach up, or the other down.
        std::cmp::Ordering::Less => less.above || more.below,
        std::cmp::Ordering::Greater => less.below || more.above,
    }
}

struct Reach {
    below: bool,
    equal: bool,
    above: bool,
}

fn reach(comparison: Comparison) -> Reach {
    let (below, equal, above) = match comparison {
        Comparison::AtLeast => (false, true, true),
        Comparison::Exactly => (false, true, false),
        Comparison::Below => (true, false, false),
        Comparison::Above => (false, false, true),
        Comparison::AtMost => (true, true, false),
    };
    Reach {
        below,
        equal,
        above,
    }
}

/// Returns the capability that every package has: its own name in its version.
pub fn own_capability(package: &Package) -> Relation {
    Relation {
        name: package.name.clone(),
        version: Some((Comparison::Exactly, package.version.clone())),
    }
}

/// Returns all that a package provides, in the order in which rpm lists it.
pub fn capabilities(package: &Package) -> Vec<Relation> {
    let mut all = package.provides.clone();
    all.push(own_capability(package));
    if package.architecture != "noarch" {
        let bits = package.architecture.replace('_', "-");
        all.push(Relation {
            name: format!("{}({bits})", package.name),
            version: Some((Comparison::Exactly, package.version.clone())),
        });
    }
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

/// Returns whether a package meets a need: by a capability, or by a file.
pub fn meets(package: &Package, wanted: &Relation) -> bool {
    if package.name == wanted.name && overlaps(&own_capability(package), wanted) {
        return true;
    }
    if package
        .provides
        .iter()
        .any(|provided| overlaps(provided, wanted))
    {
        return true;
    }
    if wanted.name.starts_with('/') && wanted.version.is_none() {
        let is_there = |path: &str| path == wanted.name;
        return package.files.iter().any(|file| is_there(file.path()))
            || package.paths.known().any(is_there);
    }
    wanted.name.ends_with(')')
        && capabilities(package)
            .iter()
            .any(|one| overlaps(one, wanted))
}

/// Returns what a package needs; what rpm itself has is left out.
pub fn needs(package: &Package) -> impl Iterator<Item = &Relation> {
    let all = package.depends.iter().flatten();
    all.filter(|need| !need.name.starts_with("rpmlib("))
}

/// Returns the architectures whose packages a machine takes.
pub fn fits_machine(package: &Package, machine: &str) -> bool {
    package.architecture == "noarch" || package.architecture == machine
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str) -> Package {
        Package::base(name, version, "x86_64")
    }

    #[test]
    fn names_carry_the_epoch_where_there_is_one() {
        assert_eq!(nevra(&package("a", "1.0-1.el9")), "a-1.0-1.el9.x86_64");
        assert_eq!(nevra(&package("a", "3:1.0-1")), "a-3:1.0-1.x86_64");
        assert_eq!(nvra(&package("a", "3:1.0-1")), "a-1.0-1.x86_64");
    }

    #[test]
    fn a_need_is_met_by_name_capability_file_and_architecture() {
        let mut one = package("containerd.io", "1.6.20-1.el9");
        one.provides = vec![relation("runc"), relation("libonig.so.5()(64bit)")];
        one.files = vec![crate::packages::PackageFile::Program(
            "/usr/bin/runc".to_owned(),
        )];

        for need in [
            "containerd.io",
            "containerd.io >= 1.6.4",
            "containerd.io = 1.6.20",
            "containerd.io < 1.7",
            "runc",
            "libonig.so.5()(64bit)",
            "/usr/bin/runc",
            "containerd.io(x86-64) = 1.6.20-1.el9",
        ] {
            assert!(meets(&one, &relation(need)), "{need}");
        }
        for need in [
            "containerd.io > 1.6.20",
            "runc >= 1",
            "/usr/bin/ctr",
            "docker",
        ] {
            assert!(!meets(&one, &relation(need)), "{need}");
        }
        // An epoch that nobody asks for is above all versions without one.
        let other = package("docker-ee-cli", "1:20.10.24-1");
        assert!(!meets(&other, &relation("docker-ee-cli = 20.10.24")));
        assert!(meets(&other, &relation("docker-ee-cli = 1:20.10.24-1")));
    }

    #[test]
    fn relations_are_shown_as_they_are_written() {
        for text in ["a", "a >= 1", "a = 1:2-3", "a < 2", "a > 2", "a <= 2"] {
            assert_eq!(show(&relation(text)), text);
        }
    }
}
