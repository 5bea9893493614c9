//! Repositories of rpm packages: those of the distributions, and those of the engine.
//!
//! Units are those of the lab. What packages need is what MCR's packages for RHEL and SLES need.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{CONTAINERD_SERVICE, DOCKER_SERVICE, DOCKER_SOCKET, MIRANTIS_KEY, versions_of};
use crate::packages::rpm::relation;
use crate::packages::{DISTRIBUTION_KEY, Package, PackageFile, Relation, Repository, Signature};
use crate::profile::Family;
use crate::profile::release::{self, Release};
use crate::world::Fleet;

/// Directories of the engine's repository: directory, versions of the system, how versions of
/// packages end before the version of the system.
const DIRECTORIES: &[(&str, &[&str], &str)] = &[
    ("rhel", &["8", "9", "10"], "el"),
    ("rocky", &["8", "9", "10"], "el"),
    ("centos", &["8", "9", "10"], "el"),
    ("oraclelinux", &["8", "9", "10"], "el"),
    ("sles", &["12", "15"], "sles"),
];

/// The machines that there are packages for.
const MACHINES: [&str; 2] = ["x86_64", "aarch64"];

/// Scripts as `%systemd_post` and its like make them. Presets enable nothing of these.
const ENGINE_POST: &str = "getent group docker >/dev/null || groupadd -r docker
systemctl daemon-reload >/dev/null 2>&1 || :
";
const CONTAINERD_POST: &str = "systemctl daemon-reload >/dev/null 2>&1 || :\n";
const ENGINE_PREUN: &str = "if [ $1 -eq 0 ]; then
  systemctl --no-reload disable --now docker.service docker.socket >/dev/null 2>&1 || :
fi
";
const CONTAINERD_PREUN: &str = "if [ $1 -eq 0 ]; then
  systemctl --no-reload disable --now containerd.service >/dev/null 2>&1 || :
fi
";
const ENGINE_POSTUN: &str = "systemctl daemon-reload >/dev/null 2>&1 || :
if [ $1 -ge 1 ]; then systemctl try-restart docker.service >/dev/null 2>&1 || :; fi
";
const CONTAINERD_POSTUN: &str = "systemctl daemon-reload >/dev/null 2>&1 || :
if [ $1 -ge 1 ]; then systemctl try-restart containerd.service >/dev/null 2>&1 || :; fi
";

/// Writes the files by which a host knows the repositories of its distribution, and their macros.
pub(crate) fn configure(release: &Release, write: &mut dyn FnMut(&str, String)) {
    let pretty = release.value("NAME").unwrap_or_default().to_owned();
    let id = release.value("ID").unwrap_or_default().to_owned();
    match release.family {
        Family::Debian => {}
        Family::El => {
            let column = release.column;
            let key = format!("/etc/pki/rpm-gpg/RPM-GPG-KEY-{id}-{column}");
            let repository = match id.as_str() {
                "rhel" => format!("rhel-{column}-for-$basearch-baseos-rpms"),
                "ol" => format!("ol{column}_baseos_latest"),
                _ => "baseos".to_owned(),
            };
            let file = match id.as_str() {
                "rhel" => "redhat",
                "ol" => "oracle-linux",
                other => other,
            };
            write(
                &format!("/etc/yum.repos.d/{file}.repo"),
                format!(
                    "[{}]\nname={pretty} $releasever - BaseOS\nbaseurl=http://archive.example.com/\
                     {id}/$releasever/BaseOS/$basearch/os\ngpgcheck=1\nenabled=1\ngpgkey=file://{key}\n",
                    repository.replace("$basearch", "x86_64")
                ),
            );
            write(&key, crate::program::gpg::armoured(DISTRIBUTION_KEY));
            write(
                "/usr/lib/rpm/macros.d/macros.dist",
                format!("%rhel {column}\n%dist .el{column}\n%el{column} 1\n"),
            );
            write(
                "/etc/redhat-release",
                format!(
                    "{pretty} release {}\n",
                    release.value("VERSION").unwrap_or_default()
                ),
            );
        }
        Family::Sles => {
            let version = release.value("VERSION_ID").unwrap_or_default();
            let name = format!("SLES{}", release.value("VERSION").unwrap_or_default());
            write(
                &format!("/etc/zypp/repos.d/{name}.repo"),
                format!(
                    "[{name}]\nname={name}\nenabled=1\nautorefresh=1\nbaseurl=http://archive.\
                     example.com/sles/{version}/$basearch\ngpgcheck=1\n"
                ),
            );
            write(
                "/etc/products.d/SLES.prod",
                format!("<product><name>SLES</name><version>{version}</version></product>\n"),
            );
            write(
                "/usr/lib/rpm/macros.d/macros.dist",
                format!("%suse_version {}00\n", release.column),
            );
        }
    }
}

impl Fleet {
    /// Adds the repositories of rpm distributions on a site.
    pub(super) fn add_rpm_archive_at(&self, site: &str) {
        let mut pages = BTreeMap::new();
        let mut repositories = Vec::new();
        for name in release::names() {
            let Some(release) = release::find(name) else {
                continue;
            };
            let path = match release.family {
                Family::Debian => continue,
                Family::El => {
                    let id = release.value("ID").unwrap_or_default();
                    format!("/{id}/{}/BaseOS/MACHINE/os", release.column)
                }
                Family::Sles => {
                    let version = release.value("VERSION_ID").unwrap_or_default();
                    format!("/sles/{version}/MACHINE")
                }
            };
            for machine in MACHINES {
                let path = path.replace("MACHINE", machine);
                let all = release::packages(&release, machine);
                let packages = all.into_iter().map(|(_, package)| Arc::new(package));
                pages.insert(format!("{path}/repodata/repomd.xml"), index());
                repositories.push(Repository {
                    url: format!("http://{site}{path}"),
                    suite: String::new(),
                    component: String::new(),
                    key: DISTRIBUTION_KEY.to_owned(),
                    signature: Signature::Good,
                    packages: Arc::new(packages.collect()),
                });
            }
        }
        self.add_site(site, pages);
        self.world(|world| world.repositories.extend(repositories));
    }

    /// Adds the rpm repositories of the engine at a base address, with a channel.
    pub(super) fn add_rpm_engine_repositories(&self, base: &str, channel: &str) {
        let base = base.trim_end_matches('/');
        let Some(parsed) = crate::web::Url::parse(base) else {
            return;
        };
        let root = parsed.path.trim_end_matches('/');
        let mut pages = BTreeMap::new();
        let mut found = Vec::new();
        let mut made: BTreeMap<String, Arc<Vec<Arc<Package>>>> = BTreeMap::new();
        for (directory, versions, family) in DIRECTORIES {
            let key = crate::program::gpg::armoured(MIRANTIS_KEY);
            pages.insert(format!("{root}/{directory}/gpg"), key);
            for (version, machine) in versions
                .iter()
                .flat_map(|version| MACHINES.map(|machine| (version, machine)))
            {
                let path = format!("{directory}/{version}/{machine}/{channel}");
                let dist = format!("{family}{version}");
                let packages = made
                    .entry(format!("{dist} {machine}"))
                    .or_insert_with(|| Arc::new(engine(channel, &dist, machine)));
                pages.insert(format!("{root}/{path}/repodata/repomd.xml"), index());
                found.push(Repository {
                    url: format!("{base}/{path}"),
                    suite: String::new(),
                    component: String::new(),
                    key: MIRANTIS_KEY.to_owned(),
                    signature: Signature::Good,
                    packages: Arc::clone(packages),
                });
            }
        }
        self.add_site(&parsed.host, pages);
        self.world(|world| {
            for repository in found {
                let mut known = world.repositories.iter();
                if known.all(|one| one.url != repository.url) {
                    world.repositories.push(repository);
                }
            }
        });
    }
}

/// Returns the page by which a repository is known.
fn index() -> String {
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<repomd xmlns=\"http://linux.duke.edu/metadata/repo\" \
     xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">\n  <revision>1700000000</revision>\n  <data \
     type=\"primary\">\n    <location href=\"repodata/primary.xml.gz\"/>\n  </data>\n</repomd>\n"
        .to_owned()
}

/// Returns the packages of the engine in a channel.
fn engine(channel: &str, dist: &str, machine: &str) -> Vec<Arc<Package>> {
    let (engine, containerd) = versions_of(channel);
    let release = format!("1.{dist}");
    let base = |name: &str, version: &str, size: u64, summary: &str| Package {
        size,
        installed_size: 4 * size,
        summary: summary.to_owned(),
        license: "ASL 2.0".to_owned(),
        vendor: "Mirantis".to_owned(),
        url: "https://www.mirantis.com/".to_owned(),
        ..Package::base(name, &format!("{version}-{release}"), machine)
    };
    let containers = base(
        "containerd.io",
        containerd,
        31_400_000,
        "An industry-standard container runtime",
    );
    let client = base(
        "docker-ee-cli",
        &format!("1:{engine}"),
        13_200_000,
        "The open-source application container engine",
    );
    let server = base(
        "docker-ee",
        &format!("3:{engine}"),
        24_900_000,
        "Mirantis Container Runtime",
    );
    let cli = format!("docker-ee-cli = {}", client.version);
    let client = Package {
        depends: needs(&["/bin/sh"]),
        conflicts: relations(&["docker-ce-cli", "docker-cli"]),
        files: programs(&["docker"]),
        ..client
    };
    let all = [
        of_containers(containers),
        client,
        of_server(server, &cli, dist),
    ];
    all.into_iter().map(Arc::new).collect()
}

fn of_containers(package: Package) -> Package {
    let mut files = programs(&["containerd", "containerd-shim-runc-v2", "ctr", "runc"]);
    files.push(unit("containerd.service", CONTAINERD_SERVICE));
    Package {
        depends: needs(&["/bin/sh", "systemd"]),
        provides: relations(&["runc", "containerd"]),
        conflicts: relations(&["containerd", "runc"]),
        files,
        scripts: scripts(CONTAINERD_POST, CONTAINERD_PREUN, CONTAINERD_POSTUN),
        ..package
    }
}

fn of_server(package: Package, cli: &str, dist: &str) -> Package {
    let mut wanted = vec![
        "/bin/sh",
        "containerd.io >= 1.6.4",
        cli,
        "iptables",
        "systemd",
    ];
    if dist.starts_with("el") {
        wanted.push("container-selinux");
    }
    let mut files = programs(&["docker-init", "docker-proxy", "dockerd"]);
    files.extend([
        PackageFile::Directory("/etc/docker".to_owned()),
        unit("docker.service", DOCKER_SERVICE),
        unit("docker.socket", DOCKER_SOCKET),
    ]);
    Package {
        depends: needs(&wanted),
        conflicts: relations(&["docker-ce", "docker", "docker-common"]),
        files,
        scripts: scripts(ENGINE_POST, ENGINE_PREUN, ENGINE_POSTUN),
        ..package
    }
}

fn programs(names: &[&str]) -> Vec<PackageFile> {
    let paths = names.iter().map(|name| format!("/usr/bin/{name}"));
    paths.map(PackageFile::Program).collect()
}

fn unit(name: &str, text: &str) -> PackageFile {
    let path = format!("/usr/lib/systemd/system/{name}");
    PackageFile::Text(path, 0o644, text.to_owned())
}

fn scripts(post: &str, preun: &str, postun: &str) -> BTreeMap<String, String> {
    let rows = [("post", post), ("preun", preun), ("postun", postun)];
    let rows = rows.map(|(name, text)| (name.to_owned(), text.to_owned()));
    BTreeMap::from(rows)
}

fn needs(texts: &[&str]) -> Vec<Vec<Relation>> {
    texts.iter().map(|text| vec![relation(text)]).collect()
}

fn relations(texts: &[&str]) -> Vec<Relation> {
    texts.iter().map(|text| relation(text)).collect()
}
