//! The repositories of the hosts with rpm: those of the distributions, and the product's. The product's are
//! there twice: with the real engines, and with what the rows of `fleet/tests/parity` were recorded with.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use parity::Package;

use super::base::Base;
use super::keys::Keys;
use super::packages::{NEW_CHANNEL, OLD_CHANNEL, Packages, one_deb, upstream_version, version_of};
use super::rpm::{BUILD, INDEX, SIGN, TOOLS, Workshop, specification};
use crate::cache::{Cache, Recipe};
use crate::command::Cmd;
use crate::paths::{Paths, write};
use crate::talk::Talk;

/// The packages of distributions, and small ones in the place of the product's.
const TABLE: &str = include_str!("../../../fleet/tests/parity/packages.txt");

/// The channels of the product.
const CHANNELS: [&str; 2] = [OLD_CHANNEL, NEW_CHANNEL];

/// A distribution with rpm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Distribution {
    /// What its packages are marked with, and what the state of its rows is called.
    pub(crate) mark: &'static str,
    /// Its name in the addresses of the product's repositories, and what follows it.
    vendor: &'static str,
    release: &'static str,
}

/// Rocky Linux 9.
pub(crate) const ROCKY: Distribution = Distribution {
    mark: "el9",
    vendor: "rocky",
    release: "9/x86_64",
};

/// SLES 15.
pub(crate) const SLES: Distribution = Distribution {
    mark: "sles15",
    vendor: "sles",
    release: "15/x86_64",
};

const DISTRIBUTIONS: [Distribution; 2] = [ROCKY, SLES];

/// Which packages the product's repositories have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engines {
    /// Those that run.
    Real,
    /// Those of the table: a few bytes each.
    Small,
}

impl Engines {
    fn directory(self) -> &'static str {
        match self {
            Self::Real => "engines",
            Self::Small => "small",
        }
    }
}

/// A package of the product, made of what is in that of Debian's hosts.
struct Engine {
    name: &'static str,
    epoch: Option<&'static str>,
    relations: &'static [&'static str],
    scripts: &'static [(&'static str, &'static str)],
}

const ENGINES: &[Engine] = &[
    Engine {
        name: "containerd.io",
        epoch: None,
        relations: &[
            "Provides: runc",
            "Requires: /bin/sh",
            "Requires: systemd",
            "Conflicts: runc",
        ],
        scripts: &[
            ("post", include_str!("../../files/containerd.io.post")),
            ("preun", include_str!("../../files/containerd.io.preun")),
            ("postun", include_str!("../../files/containerd.io.postun")),
        ],
    },
    Engine {
        name: "docker-ee-cli",
        epoch: Some("1"),
        relations: &["Requires: /bin/sh", "Conflicts: docker-ce-cli"],
        scripts: &[],
    },
    Engine {
        name: "docker-ee",
        epoch: Some("3"),
        relations: &[
            "Requires: /bin/sh",
            "Requires: containerd.io >= 1.6.4",
            "Requires: docker-ee-cli = 1:%{version}-%{release}",
            "Requires: iptables",
            "Requires: systemd",
            "Conflicts: docker-ce",
        ],
        scripts: &[
            ("post", include_str!("../../files/docker-ee.post")),
            ("preun", include_str!("../../files/docker-ee.preun")),
            ("postun", include_str!("../../files/docker-ee.postun")),
        ],
    },
];

/// The repositories.
#[derive(Clone, Debug)]
pub(crate) struct Rpms {
    dir: PathBuf,
    /// What other recipes depend on.
    pub(crate) id: String,
}

impl Rpms {
    /// Returns what the web server shows as `http://archive.lab/el9` and its like: directories of distributions.
    pub(crate) fn archive(&self) -> PathBuf {
        self.dir.join("archive")
    }

    /// Returns what the web server shows of the product's: where, below its root, and the directory.
    pub(crate) fn products(&self, engines: Engines) -> Vec<(&'static str, PathBuf)> {
        let from = self.dir.join(engines.directory());
        let vendors = DISTRIBUTIONS.iter().map(|one| one.vendor);
        vendors.map(|vendor| (vendor, from.join(vendor))).collect()
    }

    /// Returns the packages that a host has before anybody comes.
    pub(crate) fn installed(&self, distribution: Distribution) -> PathBuf {
        self.dir.join("installed").join(distribution.mark)
    }
}

/// Makes the repositories once.
pub(crate) async fn ensure(
    cache: &Cache,
    paths: &Paths,
    keys: &Keys,
    base: &Base,
    packages: &Packages,
    talk: Talk,
) -> Result<Rpms> {
    let scripts = ENGINES.iter().flat_map(|engine| engine.scripts);
    let relations = ENGINES.iter().flat_map(|engine| engine.relations);
    let id = Recipe::new("rpms")
        .with(&keys.id)
        .with(&base.id)
        .with(&packages.id)
        .with_all([TABLE, BUILD, SIGN, INDEX])
        .with_all(TOOLS)
        .with_all(scripts.flat_map(|(name, text)| [*name, *text]))
        .with_all(relations)
        .with("1")
        .id();
    let dir = match cache.ready(&id) {
        Some(dir) => dir,
        None => {
            let part = cache.start(&id)?;
            make(&part, paths, keys, base, packages).await?;
            talk.say("the repositories of the hosts with rpm are ready");
            cache.finish(&id, &part)?
        }
    };
    Ok(Rpms {
        dir,
        id: id.file_name(),
    })
}

async fn make(
    part: &Path,
    paths: &Paths,
    keys: &Keys,
    base: &Base,
    packages: &Packages,
) -> Result<()> {
    let workshop = Workshop::open(base, paths).await?;
    for distribution in DISTRIBUTIONS {
        add_table(&workshop, distribution)?;
        for channel in CHANNELS {
            let debs = packages.of_channel(channel);
            let place = product(Engines::Real, distribution, channel);
            for engine in ENGINES {
                let deb = one_deb(&debs, engine.name)?;
                let version = version_of(&deb).await?;
                let name = format!("{channel}/{}", engine.name);
                let payload = workshop.unpack(&deb, &name).await?;
                let version = upstream_version(&version);
                let text = engine.specification(version, distribution, &payload);
                workshop.add(&place, engine.name, &text)?;
            }
        }
    }
    workshop.build(keys).await?;
    let public = std::fs::read(keys.repository_public()).context("cannot read the signing key")?;
    for distribution in DISTRIBUTIONS {
        let mark = distribution.mark;
        workshop.index(&format!("archive/{mark}/base")).await?;
        write(&workshop.built(&format!("archive/{mark}/gpg")), &public)?;
        for engines in [Engines::Real, Engines::Small] {
            for channel in CHANNELS {
                workshop
                    .index(&product(engines, distribution, channel))
                    .await?;
            }
            let key = format!("{}/{}/gpg", engines.directory(), distribution.vendor);
            write(&workshop.built(&key), &public)?;
        }
    }
    Cmd::new("cp")
        .args(["-r", "--"])
        .arg(workshop.built("."))
        .arg(part)
        .run()
        .await?;
    workshop.close()
}

/// Takes all packages of the table for a distribution.
fn add_table(workshop: &Workshop, distribution: Distribution) -> Result<()> {
    let mark = distribution.mark;
    for package in Package::read_all(TABLE, mark)? {
        let place = match package.place.as_str() {
            "installed" => format!("installed/{mark}"),
            "base" => format!("archive/{mark}/base"),
            channel => product(Engines::Small, distribution, channel),
        };
        // There may be several versions of one.
        let name = format!("{}-{}", package.name, package.version);
        workshop.add(&place, &name, &specification(&package))?;
    }
    Ok(())
}

/// Returns where a channel is, below all that is built.
fn product(engines: Engines, distribution: Distribution, channel: &str) -> String {
    let Distribution {
        vendor, release, ..
    } = distribution;
    format!("{}/{vendor}/{release}/{channel}", engines.directory())
}

impl Engine {
    fn specification(&self, version: &str, distribution: Distribution, payload: &str) -> String {
        let Self {
            name,
            epoch,
            relations,
            scripts,
        } = self;
        let epoch = epoch.map_or_else(String::new, |epoch| format!("Epoch: {epoch}\n"));
        let relations: String = relations.iter().map(|line| format!("{line}\n")).collect();
        let scripts: String = scripts
            .iter()
            .map(|(script, text)| format!("%{script}\n{text}\n"))
            .collect();
        // Fast to build and to unpack; rpm would take a quarter of a minute for each.
        format!(
            "%define _binary_payload w3.zstdio\n\
             Name: {name}\nVersion: {version}\nRelease: 1.{mark}\nVendor: Lab\nLicense: ASL 2.0\n\
             Summary: {name} for the lab, repacked from Debian\nAutoReqProv: no\n{epoch}{relations}\n\
             %description\n{name} for the lab, repacked from Debian.\n\n\
             %install\nmkdir -p %{{buildroot}}\ncp -a {payload}/. %{{buildroot}}/\n\n{scripts}\
             %files\n%attr(0755,root,root) /usr/bin/*\n{units}",
            mark = distribution.mark,
            units = if scripts.is_empty() {
                ""
            } else {
                "%attr(0644,root,root) /usr/lib/systemd/system/*\n"
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_packed_with_its_units_and_scripts() {
        let text = ENGINES[2].specification("26.1.5", ROCKY, "/build/payload/x");

        for line in [
            "Epoch: 3",
            "Version: 26.1.5",
            "Release: 1.el9",
            "Requires: docker-ee-cli = 1:%{version}-%{release}",
            "%preun",
            "%attr(0644,root,root) /usr/lib/systemd/system/*",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}:\n{text}");
        }
    }

    #[test]
    fn channels_are_where_launchpad_looks_for_them() {
        assert_eq!(
            product(Engines::Real, SLES, OLD_CHANNEL),
            "engines/sles/15/x86_64/stable-20.10"
        );
        assert_eq!(
            product(Engines::Small, ROCKY, NEW_CHANNEL),
            "small/rocky/9/x86_64/stable-26.1"
        );
    }
}
