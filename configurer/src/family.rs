//! The table of operating systems, and how a host finds its row.
//!
//! A new release of a known family needs no change here: it works, with a warning that says that
//! nobody has tried it. Sources: the compatibility matrix of MKE 3.8 and MCR 25.0.

use rig::os::OsRelease;
use rig::packages::Manager;

/// One row: a family of systems.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// `ID` of os-release.
    pub id: &'static str,
    /// Releases that are known to work: what `VERSION_ID` is, or begins with before a dot. Empty:
    /// any.
    pub releases: &'static [&'static str],
    /// The package manager.
    pub manager: Manager,
    /// Directory of the system in the package repository.
    pub directory: &'static str,
    /// Packages that have to be there before the engine is installed.
    pub prerequisites: &'static [Prerequisite],
}

/// A package that has to be there.
#[derive(Debug, PartialEq, Eq)]
pub struct Prerequisite {
    /// The package to install.
    pub package: &'static str,
    /// Packages any of which will do.
    pub satisfied_by: &'static [&'static str],
}

const fn package(package: &'static str, satisfied_by: &'static [&'static str]) -> Prerequisite {
    Prerequisite {
        package,
        satisfied_by,
    }
}

const APT: &[Prerequisite] = &[
    package("curl", &["curl"]),
    package("apt-utils", &["apt-utils"]),
    package("socat", &["socat"]),
    package("iputils-ping", &["iputils-ping"]),
    // The key of the repository is brought into the form that apt reads by gpg.
    package("gnupg", &["gnupg", "gpg"]),
];

const EL: &[Prerequisite] = &[
    package("curl", &["curl", "curl-minimal"]),
    package("socat", &["socat"]),
    package("iptables", &["iptables", "iptables-nft", "iptables-legacy"]),
    package("iputils", &["iputils"]),
    package("gzip", &["gzip"]),
    package("openssh", &["openssh"]),
];

const SLES: &[Prerequisite] = &[package("curl", &["curl"]), package("socat", &["socat"])];

const fn el(id: &'static str, directory: &'static str) -> Row {
    Row {
        id,
        releases: &["8", "9"],
        manager: Manager::Dnf,
        directory,
        prerequisites: EL,
    }
}

/// The table.
pub const ROWS: &[Row] = &[
    Row {
        id: "ubuntu",
        // 26.04: release notes of MKE 3.9.7.
        releases: &["16.04", "18.04", "20.04", "22.04", "24.04", "26.04"],
        manager: Manager::Apt,
        directory: "ubuntu",
        prerequisites: APT,
    },
    el("rhel", "rhel"),
    el("rocky", "rocky"),
    el("centos", "centos"),
    el("ol", "oraclelinux"),
    Row {
        id: "sles",
        releases: &["12", "15"],
        manager: Manager::Zypper,
        directory: "sles",
        prerequisites: SLES,
    },
];

/// The row of a host, with what it depends on beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The row.
    pub row: &'static Row,
    /// Code name of the release (`jammy`); apt only.
    pub codename: String,
    /// Architecture as the package manager names it (`amd64`, `x86_64`).
    pub architecture: String,
    /// Set where nobody has tried this release yet.
    pub warning: Option<String>,
}

/// Why a host has no row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// The system is in no row.
    #[error("{name} is not supported")]
    System {
        /// How the system calls itself.
        name: String,
    },
    /// The processor is of no kind that the engine is built for.
    #[error("the architecture `{architecture}` is not supported")]
    Architecture {
        /// As `uname -m` names it.
        architecture: String,
    },
    /// An apt system that does not tell its code name.
    #[error("os-release of the host names no VERSION_CODENAME")]
    NoCodename,
}

/// Finds the row of a host from the text of os-release and the output of `uname -m`.
///
/// # Errors
///
/// Fails where the engine is not made for the system or its processor.
pub fn select(os_release: &str, architecture: &str) -> Result<Selection, Unsupported> {
    let release = OsRelease::parse(os_release);
    let by_id = |id: &str| ROWS.iter().find(|row| row.id == id);
    let (row, is_relative) = match by_id(&release.id) {
        Some(row) => (row, false),
        None => match release.id_like.iter().find_map(|id| by_id(id)) {
            Some(row) => (row, true),
            None => {
                let name = Some(release.pretty_name).filter(|name| !name.is_empty());
                let name = name.unwrap_or_else(|| "this operating system".to_owned());
                return Err(Unsupported::System { name });
            }
        },
    };
    let architecture = match (row.manager, architecture) {
        (Manager::Apt, "x86_64" | "amd64") => "amd64",
        (Manager::Apt, "aarch64" | "arm64") => "arm64",
        (_, "x86_64" | "amd64") => "x86_64",
        (_, "aarch64" | "arm64") => "aarch64",
        (_, other) => {
            let architecture = other.to_owned();
            return Err(Unsupported::Architecture { architecture });
        }
    };
    let codename = match (row.manager, release.version_codename) {
        (_, Some(codename)) => codename,
        (Manager::Apt, None) => return Err(Unsupported::NoCodename),
        (Manager::Dnf | Manager::Zypper, None) => String::new(),
    };
    let version = release.version_id.as_str();
    let is_known = row.releases.iter().any(|known| {
        version == *known
            || version
                .strip_prefix(known)
                .is_some_and(|rest| rest.starts_with('.'))
    });
    let warning = if is_relative {
        Some(format!(
            "{} is treated as {}, which it says it is like",
            release.pretty_name, row.id
        ))
    } else if is_known {
        None
    } else {
        Some(format!(
            "{} is not among the releases that are known to work",
            release.pretty_name
        ))
    };
    Ok(Selection {
        row,
        codename,
        architecture: architecture.to_owned(),
        warning,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(id: &str, version: &str, more: &str) -> String {
        format!("ID={id}\nVERSION_ID=\"{version}\"\nPRETTY_NAME=\"{id} {version}\"\n{more}\n")
    }

    #[test]
    fn every_listed_system_finds_its_row_without_a_warning() {
        for (id, version) in [
            ("ubuntu", "22.04"),
            ("ubuntu", "24.04"),
            ("ubuntu", "26.04"),
            ("rhel", "9.4"),
            ("rocky", "8.10"),
            ("centos", "9"),
            ("ol", "9.4"),
            ("sles", "15.5"),
        ] {
            let text = release(id, version, "VERSION_CODENAME=jammy");
            for architecture in ["x86_64", "aarch64"] {
                let selection = select(&text, architecture).unwrap();
                assert_eq!((selection.row.id, selection.warning), (id, None));
            }
        }
    }

    #[test]
    fn a_new_release_works_with_a_warning() {
        let selection = select(
            &release("ubuntu", "28.04", "VERSION_CODENAME=unknown"),
            "x86_64",
        )
        .unwrap();

        assert_eq!(selection.codename, "unknown");
        assert_eq!(
            selection.warning.as_deref(),
            Some("ubuntu 28.04 is not among the releases that are known to work")
        );
    }

    #[test]
    fn a_relative_is_taken_by_what_it_is_like() {
        let text = release("almalinux", "9.4", "ID_LIKE=\"rhel centos fedora\"");
        let selection = select(&text, "x86_64").unwrap();

        assert_eq!(selection.row.id, "rhel");
        assert!(selection.warning.is_some());
    }

    #[test]
    fn the_rest_is_refused() {
        assert!(select(&release("alpine", "3.20", ""), "x86_64").is_err());
        assert!(select("", "x86_64").is_err());
        let ubuntu = release("ubuntu", "22.04", "VERSION_CODENAME=jammy");
        assert_eq!(
            select(&ubuntu, "riscv64"),
            Err(Unsupported::Architecture {
                architecture: "riscv64".to_owned()
            })
        );
        assert_eq!(
            select(&release("ubuntu", "22.04", ""), "x86_64"),
            Err(Unsupported::NoCodename)
        );
    }
}
