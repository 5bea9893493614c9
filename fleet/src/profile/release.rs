//! The systems that there are: what os-release says, kernels, and which packages they have.

use super::Kernel;
use crate::packages::rpm::relation;
use crate::packages::{Package, PackageFile};

const RELEASES: &str = include_str!("../../data/releases.txt");
const EL_PACKAGES: &str = include_str!("../../data/el-packages.txt");
const SLES_PACKAGES: &str = include_str!("../../data/sles-packages.txt");

/// A family of systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Ubuntu: apt and dpkg.
    Debian,
    /// RHEL and its children: dnf and rpm.
    El,
    /// SLES: zypper and rpm.
    Sles,
}

impl Family {
    /// Returns the unit of the SSH server.
    pub fn ssh_unit(self) -> &'static str {
        match self {
            Self::Debian => "ssh.service",
            Self::El | Self::Sles => "sshd.service",
        }
    }

    /// Returns the program that moves files for SFTP.
    pub fn sftp_server(self) -> &'static str {
        match self {
            Self::Debian => "/usr/lib/openssh/sftp-server",
            Self::El => "/usr/libexec/openssh/sftp-server",
            Self::Sles => "/usr/lib/ssh/sftp-server",
        }
    }
}

/// Whose coreutils and sudo a system has. Its files hold the programs that these are; nothing else asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tools {
    /// GNU coreutils, and the sudo of sudo.ws.
    Gnu,
    /// Those of uutils but for a few, and sudo-rs: `data/ubuntu-26.04.txt`.
    Rust,
}

/// A system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its name (`rocky-9`).
    pub name: &'static str,
    /// Its family.
    pub family: Family,
    /// Its code name; empty where it has none.
    pub codename: &'static str,
    /// Its kernel.
    pub kernel: Kernel,
    /// Whose coreutils and sudo it has.
    pub tools: Tools,
    /// Which column of the packages of its family it has: its major version.
    pub column: &'static str,
    /// How versions of its packages end (`el9`).
    pub dist: &'static str,
    /// What os-release says; empty for the one that the data of files has.
    pub text: String,
}

impl Release {
    /// Returns a value of os-release.
    pub fn value(&self, key: &str) -> Option<&str> {
        let mut lines = self.text.lines().filter_map(|line| line.split_once('='));
        let found = lines.find(|(name, _)| *name == key);
        found.map(|(_, value)| value.trim_matches('"'))
    }
}

/// Returns the names of all systems.
pub fn names() -> impl Iterator<Item = &'static str> {
    let lines = RELEASES.lines().filter_map(|line| line.strip_prefix("s "));
    lines.filter_map(|line| line.split(' ').next())
}

/// Returns a system; `sles-15` is the newest service pack of SLES 15.
pub fn find(name: &str) -> Option<Release> {
    let exact = names().find(|known| *known == name);
    let of_it = |known: &&'static str| {
        let rest = known.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with('.'))
    };
    let name = exact.or_else(|| names().filter(of_it).last())?;
    let start = RELEASES.find(&format!("\ns {name} "))? + 1;
    let mut lines = RELEASES[start..].lines();
    let mut words = lines.next()?.split(' ').skip(2);
    let family = match words.next()? {
        "el" => Family::El,
        "sles" => Family::Sles,
        _ => Family::Debian,
    };
    let codename = words.next().filter(|word| *word != "-").unwrap_or_default();
    let mut release = Release {
        name,
        family,
        codename,
        kernel: Kernel::default(),
        tools: Tools::Gnu,
        column: "",
        dist: "",
        text: String::new(),
    };
    for line in lines {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        match kind {
            "k" => {
                let (version, build) = rest.split_once(' ')?;
                version.clone_into(&mut release.kernel.release);
                build.clone_into(&mut release.kernel.build);
                release.kernel.has_apparmor = family != Family::El;
            }
            "c" => (release.column, release.dist) = rest.split_once(' ')?,
            "r" => release.tools = Tools::Rust,
            ">" => release.text.push_str(&format!("{rest}\n")),
            _ => break,
        }
    }
    Some(release)
}

/// Where a package of a system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On every host.
    Host,
    /// In the repositories only.
    Repository,
}

/// Returns the packages of a system of rpm, for a machine.
pub fn packages(release: &Release, machine: &str) -> Vec<(Place, Package)> {
    let data = match release.family {
        Family::Debian => return Vec::new(),
        Family::El => EL_PACKAGES,
        Family::Sles => SLES_PACKAGES,
    };
    let columns: &[&str] = match release.family {
        Family::Sles => &["12", "15"],
        _ => &["8", "9", "10"],
    };
    let own = columns.iter().position(|one| *one == release.column);
    let own = own.unwrap_or_default();
    let mut all: Vec<(Place, Package)> = Vec::new();
    let mut is_there = false;
    for line in data.lines() {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        let last = all.last_mut().filter(|_| is_there);
        match (kind, last) {
            ("i" | "o", _) => {
                let found = package(release, rest, columns.len(), own, machine);
                is_there = found.is_some();
                let place = if kind == "i" {
                    Place::Host
                } else {
                    Place::Repository
                };
                all.extend(found.map(|package| (place, package)));
            }
            ("+", Some((_, package))) => package.provides.push(relation(rest)),
            ("=", Some((_, package))) => package.depends.push(vec![relation(rest)]),
            ("/", Some((_, package))) => {
                package.files.push(PackageFile::Program(rest.to_owned()));
            }
            _ => {}
        }
    }
    all.push((Place::Host, own_package(release, machine)));
    all
}

fn package(
    release: &Release,
    line: &str,
    columns: usize,
    own: usize,
    machine: &str,
) -> Option<Package> {
    let mut words = line.splitn(3 + columns, ' ');
    let (name, architecture) = (words.next()?, words.next()?);
    let versions: Vec<&str> = words.by_ref().take(columns).collect();
    let version = versions.get(own).filter(|version| **version != "-")?;
    let architecture = match architecture {
        "noarch" => "noarch",
        _ => machine,
    };
    let version = format!("{version}.{}", release.dist);
    let vendor = vendor(release);
    // As large as packages of a base system are, so that what they take can be said.
    let size = 40_000 + 7_919 * name.len() as u64;
    Some(Package {
        summary: words.next().unwrap_or_default().to_owned(),
        license: "GPLv2+".to_owned(),
        vendor: vendor.to_owned(),
        size,
        installed_size: 3 * size,
        ..Package::base(name, &version, architecture)
    })
}

fn vendor(release: &Release) -> &'static str {
    match release.name.split('-').next() {
        Some("rhel") => "Red Hat, Inc.",
        Some("rocky") => "Rocky Enterprise Software Foundation",
        Some("centos") => "CentOS",
        Some("ol") => "Oracle America",
        _ => "SUSE LLC <https://www.suse.com/>",
    }
}

/// Returns the package that says which system it is.
fn own_package(release: &Release, machine: &str) -> Package {
    let version = release.value("VERSION_ID").unwrap_or_default();
    let id = release.name.split('-').next().unwrap_or_default();
    let name = match id {
        "rhel" => "redhat-release",
        "rocky" => "rocky-release",
        "centos" => "centos-stream-release",
        "ol" => "oraclelinux-release",
        _ => "sles-release",
    };
    let mut package = Package {
        summary: format!(
            "{} release files",
            release.value("NAME").unwrap_or_default()
        ),
        license: "GPLv2".to_owned(),
        vendor: vendor(release).to_owned(),
        ..Package::base(name, &format!("{version}-1.{}", release.dist), machine)
    };
    let provides = match release.family {
        Family::Sles => vec![format!("distribution-release = {version}")],
        _ => vec![
            format!("system-release = {version}"),
            format!("system-release(releasever) = {}", release.column),
        ],
    };
    package.provides = provides.iter().map(|text| relation(text)).collect();
    package
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_has_all_that_is_said_of_it() {
        for name in names() {
            let release = find(name).unwrap();

            assert_eq!(release.name, name);
            assert!(!release.kernel.release.is_empty(), "{name}");
            if release.family == Family::Debian {
                assert!(!release.codename.is_empty(), "{name}");
                continue;
            }
            let id = name.split('-').next();
            assert_eq!(release.value("ID"), id, "{name}");
            assert!(!release.dist.is_empty(), "{name}");
            let all = packages(&release, "x86_64");
            assert!(all.len() > 30, "{name}: {}", all.len());
            assert!(all.iter().all(|(_, one)| !one.summary.is_empty()), "{name}");
        }
    }

    #[test]
    fn a_name_without_a_service_pack_is_the_newest() {
        assert_eq!(find("sles-15").unwrap().name, "sles-15.7");
        assert_eq!(find("sles-12").unwrap().name, "sles-12.5");
        assert_eq!(find("rhel-1"), None);
    }

    #[test]
    fn packages_are_those_of_the_release_and_the_machine() {
        let release = find("rocky-8").unwrap();
        let all = packages(&release, "aarch64");
        let find = |name: &str| all.iter().find(|(_, package)| package.name == name);

        let (place, bash) = find("bash").unwrap();
        assert_eq!(*place, Place::Host);
        assert_eq!(
            (bash.version.as_str(), bash.architecture.as_str()),
            ("4.4.20-5.el8", "aarch64")
        );
        assert!(find("iptables-nft").is_none());
        assert_eq!(find("socat").unwrap().0, Place::Repository);
    }
}
