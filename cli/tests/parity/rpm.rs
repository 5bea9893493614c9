//! Hosts with rpm, as those that the rows of `el9` and `sles15` were recorded on.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fleet::build::HostSpec;
use fleet::files::Credentials;
use fleet::network::Condition;
use fleet::packages::rpm::relation;
use fleet::packages::{Installed, Package, PackageFile, Repository, Signature};
use fleet::{Fleet, HostId};
use parity::{State, System};

/// The key that everything is signed by.
const KEY: &str = "DCBA36D7C5115BFCA530F844DE738B733220337A";

const DNF: &str = "[main]\ngpgcheck=1\ninstallonly_limit=3\nclean_requirements_on_remove=True\n\
                   best=True\nskip_if_unavailable=False\nreposdir=/etc/yum.repos.d\n";

const ROCKY: &str = "[baseos]\nname=Rocky Linux $releasever - BaseOS\n\
                     baseurl=http://archive.lab/el9/base\ngpgcheck=1\nenabled=1\n\
                     gpgkey=http://archive.lab/el9/gpg\n";

const SLES: &str = "[SLES15-SP5]\nname=SLES15-SP5\nenabled=1\nautorefresh=1\n\
                    baseurl=http://archive.lab/sles15/base\ngpgcheck=1\n\
                    gpgkey=http://archive.lab/sles15/gpg\n";

/// Adds the hosts of a state, and what is around them.
pub(crate) fn add(fleet: &Fleet, state: &State, now: Duration) {
    let is_sles = state.system == System::Sles;
    let mut spec = HostSpec::new("m1", [10, 77, 1, 1].into());
    spec.profile = if is_sles { "sles-15.5" } else { "rocky-9" }.to_owned();
    spec.login = "lab".to_owned();
    let host = fleet.add_host(&spec).unwrap();
    let dist = state.name;
    let all = read(dist);
    furnish(fleet, host, &all, is_sles, now);
    let mirantis = match is_sles {
        true => "sles/15/x86_64",
        false => "rocky/9/x86_64",
    };
    let gpg = match is_sles {
        true => "/sles/gpg",
        false => "/rocky/gpg",
    };
    let mut archive = BTreeMap::from([(format!("/{dist}/gpg"), armoured())]);
    let mut engines = BTreeMap::from([(gpg.to_owned(), armoured())]);
    for place in ["base", "stable-20.10", "stable-26.1"] {
        let (site, path, pages) = match place {
            "base" => ("http://archive.lab", format!("/{dist}/base"), &mut archive),
            _ => (
                "https://repos.mirantis.com",
                format!("/{mirantis}/{place}"),
                &mut engines,
            ),
        };
        pages.insert(
            format!("{path}/repodata/repomd.xml"),
            "<repomd/>\n".to_owned(),
        );
        let own = all.iter().filter(|(own, _)| own == place);
        let packages = own.map(|(_, package)| Arc::clone(package)).collect();
        fleet.world(|world| {
            world.repositories.push(Repository {
                url: format!("{site}{path}"),
                suite: String::new(),
                component: String::new(),
                key: KEY.to_owned(),
                signature: Signature::Good,
                packages: Arc::new(packages),
            });
        });
    }
    fleet.add_site("archive.lab", archive);
    fleet.add_site("repos.mirantis.com", engines);
    let failing = [
        ("refused.lab", Condition::Down),
        ("busy.lab", Condition::Status(503)),
    ];
    for (name, condition) in failing {
        fleet.add_site(name, BTreeMap::new());
        fleet.world(|world| {
            if let Some(site) = world.network.sites.get_mut(name) {
                site.condition = condition;
            }
        });
    }
}

fn armoured() -> String {
    let (begin, end) = (
        "-----BEGIN PGP PUBLIC KEY BLOCK-----",
        "-----END PGP PUBLIC KEY BLOCK-----",
    );
    format!("{begin}\n\n{KEY}\n{end}\n")
}

/// Gives a host the packages and settings of the recordings.
fn furnish(
    fleet: &Fleet,
    host: HostId,
    all: &[(String, Arc<Package>)],
    is_sles: bool,
    now: Duration,
) {
    let root = Credentials::root();
    let write = |path: &str, text: &str| {
        fleet.host(host, |host| {
            host.files.write(path, text, 0o644, &root, now).unwrap()
        });
    };
    fleet.host(host, |host| {
        let names: Vec<String> = host.packages.installed.keys().cloned().collect();
        for name in names {
            host.packages.forget(&name);
        }
        for (_, package) in all.iter().filter(|(place, _)| place == "installed") {
            host.packages.set(Installed {
                package: Arc::clone(package),
                state: fleet::packages::State::Installed,
                is_automatic: false,
                is_held: false,
                origin: String::new(),
                since: now,
            });
        }
        host.packages.keys = if is_sles {
            vec![KEY.to_owned()]
        } else {
            Vec::new()
        };
        for directory in ["/etc/yum.repos.d", "/etc/zypp/repos.d"] {
            for name in host.files.list(directory, &root).unwrap_or_default() {
                host.files
                    .remove_file(&format!("{directory}/{name}"), &root, now)
                    .unwrap();
            }
        }
    });
    if is_sles {
        write("/etc/zypp/repos.d/base.repo", SLES);
    } else {
        write("/etc/dnf/dnf.conf", DNF);
        write("/etc/yum.repos.d/rocky.repo", ROCKY);
    }
}

/// Reads the table of packages for a state: where each is, and the package.
fn read(dist: &str) -> Vec<(String, Arc<Package>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fleet/tests/parity/packages.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let described = parity::Package::read_all(&text, dist).unwrap();
    let packages = described.iter().map(|one| (one.place.clone(), one));
    packages
        .map(|(place, one)| (place, Arc::new(package(one))))
        .collect()
}

fn package(described: &parity::Package) -> Package {
    let relations = |texts: &[String]| texts.iter().map(|text| relation(text)).collect();
    let file = |file: &parity::packages::File| {
        let (path, mode, text) = (file.path.clone(), file.mode(), described.content());
        if file.is_configuration {
            PackageFile::Configuration(path, mode, text)
        } else {
            PackageFile::Text(path, mode, text)
        }
    };
    let (size, installed_size) = described.size.unwrap_or_default();
    Package {
        vendor: "Lab".to_owned(),
        url: format!("https://example.com/{}", described.name),
        summary: described.summary.clone(),
        license: described.license.clone(),
        provides: relations(&described.provides),
        depends: described
            .requires
            .iter()
            .map(|text| vec![relation(text)])
            .collect(),
        conflicts: relations(&described.conflicts),
        obsoletes: relations(&described.obsoletes),
        files: described.files.iter().map(file).collect(),
        scripts: described.scripts.iter().cloned().collect(),
        size,
        installed_size,
        ..Package::base(&described.name, &described.version, &described.architecture)
    }
}
