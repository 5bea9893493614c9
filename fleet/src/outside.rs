//! What is outside of the fleet: the package repositories of Mirantis and of the distribution.
//!
//! Packages, units and the scripts of their maintainers are those of the lab; names and sizes of
//! archives were recorded there. The version that a channel leads to is the newest one of its line
//! in the release notes of MCR.

pub(crate) mod rpm;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::network::{Condition, Site};
use crate::packages::{DISTRIBUTION_KEY, Package, PackageFile, Relation, Repository, Signature};
use crate::world::Fleet;

const DOCKER_SERVICE: &str = include_str!("../../e2e/files/docker.service");
const DOCKER_SOCKET: &str = include_str!("../../e2e/files/docker.socket");
const CONTAINERD_SERVICE: &str = include_str!("../../e2e/files/containerd.service");
const ENGINE_POSTINST: &str = include_str!("../../e2e/files/docker-ee.postinst");
const ENGINE_PRERM: &str = include_str!("../../e2e/files/docker-ee.prerm");
const ENGINE_POSTRM: &str = include_str!("../../e2e/files/docker-ee.postrm");
const CONTAINERD_POSTINST: &str = include_str!("../../e2e/files/containerd.io.postinst");
const CONTAINERD_PRERM: &str = include_str!("../../e2e/files/containerd.io.prerm");

/// The script of the engine's service for other inits than systemd, and what the scripts of its package
/// do with it, as debhelper has it (`dh_installinit`).
const ENGINE_INIT: &str = include_str!("../data/openrc/docker.sh");
const ENGINE_INIT_POSTINST: &str = r#"
if [ ! -d /run/systemd/system ] && [ -x /etc/init.d/docker ]; then
    update-rc.d docker defaults >/dev/null
    invoke-rc.d docker start
fi
"#;
const ENGINE_INIT_PRERM: &str = r#"
if [ ! -d /run/systemd/system ] && [ -x /etc/init.d/docker ]; then invoke-rc.d docker stop; fi
"#;
const ENGINE_INIT_POSTRM: &str = r#"
if [ "$1" = purge ] && [ ! -d /run/systemd/system ]; then update-rc.d docker remove; fi
"#;

/// The fingerprint of the key of the repository.
const MIRANTIS_KEY: &str = "DD911E995A64A202E85907D6BC14F10B6D085F96";

/// The suites of Ubuntu that there are packages for.
const SUITES: [&str; 4] = ["focal", "jammy", "noble", "resolute"];

/// The newest version of a line, and the containerd that it comes with.
const LINES: &[(&str, &str, &str)] = &[
    ("20.10", "20.10.24", "1.6.20"),
    ("23.0", "23.0.17", "1.6.36"),
    ("25.0", "25.0.14", "1.7.28"),
    ("26.1", "26.1.5", "1.7.24"),
    ("29.0", "29.0.4", "2.1.5"),
];

/// The line of channels that name none (`stable`, `test`).
const NEWEST: &str = "25.0";

/// A package of the distribution.
struct Known {
    name: &'static str,
    version: &'static str,
    /// Bytes to fetch.
    size: u64,
    /// Bytes installed.
    installed: u64,
    /// What it brings: a program, or a library.
    file: &'static str,
    depends: &'static [&'static str],
}

const fn known(
    name: &'static str,
    version: &'static str,
    size: u64,
    installed: u64,
    file: &'static str,
) -> Known {
    Known {
        name,
        version,
        size,
        installed,
        file,
        depends: &[],
    }
}

const fn needing(depends: &'static [&'static str], known: Known) -> Known {
    Known { depends, ..known }
}

/// Packages of the distribution that hosts install, recorded on the lab.
const ARCHIVE: &[Known] = &[
    known(
        "apt-utils",
        "2.6.1",
        309_012,
        1_041_408,
        "/usr/bin/apt-ftparchive",
    ),
    known("socat", "1.7.4.4-2", 374_924, 1_571_840, "/usr/bin/socat"),
    known(
        "iputils-ping",
        "3:20221126-1",
        47_212,
        124_928,
        "/usr/bin/ping",
    ),
    known(
        "curl",
        "7.88.1-10+deb12u15",
        315_764,
        500_736,
        "/usr/bin/curl",
    ),
    known(
        "gnupg",
        "2.2.40-1.1+deb12u2",
        846_000,
        905_216,
        "/usr/bin/gpg",
    ),
    known(
        "libonig5",
        "6.9.8-1",
        187_800,
        735_232,
        "/usr/lib/x86_64-linux-gnu/libonig.so.5",
    ),
    needing(
        &["libonig5"],
        known(
            "libjq1",
            "1.6-2.1+deb12u2",
            135_700,
            321_536,
            "/usr/lib/x86_64-linux-gnu/libjq.so.1",
        ),
    ),
    needing(
        &["libjq1"],
        known("jq", "1.6-2.1+deb12u2", 63_980, 113_664, "/usr/bin/jq"),
    ),
    known("chrony", "4.3-2", 280_000, 630_784, "/usr/sbin/chronyd"),
    known(
        "nfs-common",
        "1:2.6.2-4",
        275_000,
        1_024_000,
        "/usr/sbin/mount.nfs",
    ),
    known(
        "open-iscsi",
        "2.1.8-1",
        338_000,
        1_400_000,
        "/usr/sbin/iscsiadm",
    ),
    known(
        "python3-minimal",
        "3.11.2-1+b1",
        26_300,
        126_976,
        "/usr/bin/python3",
    ),
];

impl Fleet {
    /// Adds a site.
    pub fn add_site(&self, name: &str, pages: BTreeMap<String, String>) {
        self.world(|world| {
            let number = world.network.sites.len() as u8;
            world.network.has_dns = true;
            world
                .network
                .sites
                .entry(name.to_owned())
                .or_insert_with(|| Site {
                    address: IpAddr::from([198, 18, 0, number.saturating_add(10)]),
                    condition: Condition::Up,
                    bandwidth: 30 << 20,
                    is_trusted: true,
                    pages: BTreeMap::new(),
                });
            if let Some(site) = world.network.sites.get_mut(name) {
                site.pages.extend(pages);
            }
        });
    }

    /// Adds the archive of the distribution.
    pub fn add_archive(&self) {
        self.add_archive_at("archive.example.com");
    }

    /// Adds a copy of the archive of the distribution on another site.
    pub fn add_archive_at(&self, site: &str) {
        self.add_site(site, BTreeMap::new());
        let packages: Vec<Arc<Package>> = ARCHIVE.iter().map(archive_package).collect();
        let packages = Arc::new(packages);
        self.world(|world| {
            for suite in SUITES {
                world.repositories.push(Repository {
                    url: format!("http://{site}/ubuntu"),
                    suite: suite.to_owned(),
                    component: "main".to_owned(),
                    key: DISTRIBUTION_KEY.to_owned(),
                    signature: Signature::Good,
                    packages: Arc::clone(&packages),
                });
            }
        });
        self.add_rpm_archive_at(site);
    }

    /// Adds the channels of all lines to the repository of the engine at a base address (`repoURL`), as
    /// a cluster that is upgraded needs more than its own.
    pub fn add_engine_channels(&self, base: &str) {
        for (line, ..) in LINES {
            self.add_engine_repository(base, &format!("stable-{line}"));
        }
    }

    /// Adds the repository of the engine at a base address (`repoURL`), with a channel.
    pub fn add_engine_repository(&self, base: &str, channel: &str) {
        self.add_rpm_engine_repositories(base, channel);
        let url = format!("{}/ubuntu", base.trim_end_matches('/'));
        if let Some(parsed) = crate::web::Url::parse(&url) {
            let path = parsed.path.trim_end_matches('/');
            let key = crate::program::gpg::armoured(MIRANTIS_KEY);
            let mut pages = BTreeMap::from([(format!("{path}/gpg"), key)]);
            for suite in SUITES {
                let release = format!("Origin: Mirantis\nSuite: {suite}\nCodename: {suite}\n");
                pages.insert(format!("{path}/dists/{suite}/Release"), release);
            }
            self.add_site(&parsed.host, pages);
        }
        self.world(|world| {
            for suite in SUITES {
                let is_there = world
                    .repositories
                    .iter()
                    .any(|one| one.url == url && one.suite == suite && one.component == channel);
                if is_there {
                    continue;
                }
                world.repositories.push(Repository {
                    url: url.clone(),
                    suite: suite.to_owned(),
                    component: channel.to_owned(),
                    key: MIRANTIS_KEY.to_owned(),
                    signature: Signature::Good,
                    packages: Arc::new(engine_packages(channel, suite)),
                });
            }
        });
    }
}

/// Returns the versions of the engine and of containerd that a channel leads to.
pub fn versions_of(channel: &str) -> (String, &'static str) {
    let wanted = channel.split('-').find(|part| {
        part.contains('.')
            && part
                .bytes()
                .next()
                .is_some_and(|byte| byte.is_ascii_digit())
    });
    let wanted = wanted.unwrap_or(NEWEST);
    let line: Vec<&str> = wanted.split('.').take(2).collect();
    let line = line.join(".");
    let known = LINES.iter().find(|(name, ..)| *name == line);
    let (newest, containerd) = known.map_or((wanted, "1.7.28"), |(_, newest, its)| (*newest, *its));
    let is_exact = wanted.split('.').count() > 2;
    let engine = if is_exact { wanted } else { newest };
    (engine.to_owned(), containerd)
}

fn archive_package(row: &Known) -> Arc<Package> {
    let is_library = row.name.starts_with("lib");
    let depends = row.depends.iter().map(|name| vec![Relation::parse(name)]);
    Arc::new(Package {
        size: row.size,
        installed_size: row.installed,
        section: if is_library { "libs" } else { "utils" }.to_owned(),
        depends: depends.collect(),
        is_for_each: is_library,
        files: vec![match is_library {
            true => PackageFile::Text(row.file.to_owned(), 0o644, String::new()),
            false => PackageFile::Program(row.file.to_owned()),
        }],
        ..Package::base(row.name, row.version, "amd64")
    })
}

fn engine_packages(channel: &str, suite: &str) -> Vec<Arc<Package>> {
    let (engine, containerd) = versions_of(channel);
    let version = format!("5:{engine}-1~ubuntu-{suite}");
    let relations = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| vec![Relation::parse(text)])
            .collect::<Vec<_>>()
    };
    let conflicts = |names: &[&str]| {
        names
            .iter()
            .map(|name| Relation::parse(name))
            .collect::<Vec<_>>()
    };
    let scripts = |rows: &[(&str, &str)]| {
        let owned = rows
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        owned.collect::<BTreeMap<String, String>>()
    };
    let program = |name: &str| PackageFile::Program(format!("/usr/bin/{name}"));
    let unit = |name: &str, text: &str| {
        PackageFile::Text(
            format!("/usr/lib/systemd/system/{name}"),
            0o644,
            text.to_owned(),
        )
    };
    let base = |name: &str, version: &str, size: u64, installed: u64| Package {
        size,
        installed_size: installed,
        section: "admin".to_owned(),
        summary: format!("{name} for the lab, repacked from Debian"),
        ..Package::base(name, version, "amd64")
    };
    let cli = format!("docker-ee-cli (= {version})");
    let containerd_version = format!("{containerd}-1~ubuntu-{suite}");
    vec![
        Arc::new(Package {
            depends: relations(&["libc6 (>= 2.34)", "libseccomp2 (>= 2.5.0)"]),
            conflicts: conflicts(&["containerd", "runc"]),
            files: vec![
                program("containerd"),
                program("containerd-shim-runc-v2"),
                program("ctr"),
                program("runc"),
                unit("containerd.service", CONTAINERD_SERVICE),
            ],
            scripts: scripts(&[
                ("postinst", CONTAINERD_POSTINST),
                ("prerm", CONTAINERD_PRERM),
            ]),
            ..base(
                "containerd.io",
                &containerd_version,
                31_400_000,
                121_000_000,
            )
        }),
        Arc::new(Package {
            depends: relations(&["libc6 (>= 2.34)"]),
            conflicts: conflicts(&["docker.io", "docker-ce-cli"]),
            files: vec![program("docker")],
            ..base("docker-ee-cli", &version, 13_200_000, 41_000_000)
        }),
        Arc::new(Package {
            depends: relations(&[
                "containerd.io (>= 1.6.4)",
                &cli,
                "iptables",
                "libc6 (>= 2.34)",
                "libsystemd0",
                "libdevmapper1.02.1",
            ]),
            conflicts: conflicts(&["docker.io", "docker-ce"]),
            files: vec![
                program("docker-init"),
                program("docker-proxy"),
                program("dockerd"),
                PackageFile::Directory("/etc/docker".to_owned()),
                unit("docker.service", DOCKER_SERVICE),
                unit("docker.socket", DOCKER_SOCKET),
                PackageFile::Configuration(
                    "/etc/init.d/docker".to_owned(),
                    0o755,
                    ENGINE_INIT.to_owned(),
                ),
            ],
            scripts: scripts(&[
                (
                    "postinst",
                    &format!("{ENGINE_POSTINST}{ENGINE_INIT_POSTINST}"),
                ),
                ("prerm", &format!("{ENGINE_PRERM}{ENGINE_INIT_PRERM}")),
                ("postrm", &format!("{ENGINE_POSTRM}{ENGINE_INIT_POSTRM}")),
            ]),
            ..base("docker-ee", &version, 24_974_758, 98_000_000)
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_has_the_channels_of_all_lines() {
        let fleet = Fleet::new(1, std::time::Duration::ZERO);
        fleet.add_engine_repository("https://repos.example.com", "stable-23.0.9");

        fleet.add_engine_channels("https://repos.example.com");

        let channels = fleet.world(|world| {
            let jammy = world.repositories.iter().filter(|one| one.suite == "jammy");
            jammy.map(|one| one.component.clone()).collect::<Vec<_>>()
        });
        assert_eq!(
            channels.join(" "),
            "stable-23.0.9 stable-20.10 stable-23.0 stable-25.0 stable-26.1 stable-29.0"
        );
    }

    #[test]
    fn channels_lead_to_versions() {
        let rows = [
            ("stable-25.0", "25.0.14"),
            ("stable-25.0.9", "25.0.9"),
            ("stable-20.10", "20.10.24"),
            ("stable-77.1", "77.1"),
            ("stable", "25.0.14"),
            ("test-23.0", "23.0.17"),
        ];

        for (channel, version) in rows {
            assert_eq!(versions_of(channel).0, version, "{channel}");
        }
    }
}
