//! The product's apt repository: real engines of Debian, packed under the names and versions of MCR's packages.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::keys::Keys;
use super::repository::{SUITE, pool, publish};
use crate::cache::{Cache, Recipe, remove};
use crate::command::Cmd;
use crate::machine::mirror;
use crate::paths::{Paths, write, write_mode};
use crate::talk::Talk;

const DOCKER_SERVICE: &str = include_str!("../../files/docker.service");
const DOCKER_SOCKET: &str = include_str!("../../files/docker.socket");
const CONTAINERD_SERVICE: &str = include_str!("../../files/containerd.service");
const ENGINE_POSTINST: &str = include_str!("../../files/docker-ee.postinst");
const ENGINE_PRERM: &str = include_str!("../../files/docker-ee.prerm");
const ENGINE_POSTRM: &str = include_str!("../../files/docker-ee.postrm");
const CONTAINERD_POSTINST: &str = include_str!("../../files/containerd.io.postinst");
const CONTAINERD_PRERM: &str = include_str!("../../files/containerd.io.prerm");

/// The channel with the older engine, and the one with the newer.
pub(crate) const OLD_CHANNEL: &str = "stable-20.10";
/// The channel with the newer engine.
pub(crate) const NEW_CHANNEL: &str = "stable-26.1";

/// One engine: which packages of Debian it is taken from.
struct Engine {
    channel: &'static str,
    /// Suite and package.
    sources: &'static [(&'static str, &'static str)],
    /// The library that this engine needs and the other does not.
    library: &'static str,
}

/// The engines; newer releases' runc needs a newer libc than the hosts have.
const ENGINES: &[Engine] = &[
    Engine {
        channel: OLD_CHANNEL,
        sources: &[
            ("bookworm", "docker.io"),
            ("bookworm", "containerd"),
            ("bookworm", "runc"),
            ("bookworm", "tini"),
        ],
        library: "libdevmapper1.02.1",
    },
    Engine {
        channel: NEW_CHANNEL,
        sources: &[
            ("trixie", "docker.io"),
            ("trixie", "docker-cli"),
            ("trixie", "containerd"),
            ("bookworm", "runc"),
            ("bookworm", "tini"),
        ],
        library: "libcap2",
    },
];

/// Packages that are not of an engine, taken along: a static shell for images.
const EXTRA: &[(&str, &str)] = &[("bookworm", "busybox-static")];

/// The repository.
#[derive(Clone, Debug)]
pub(crate) struct Packages {
    dir: PathBuf,
    /// What other recipes depend on.
    pub(crate) id: String,
}

impl Packages {
    /// Returns what the web server shows as `/ubuntu`.
    pub(crate) fn repository(&self) -> PathBuf {
        self.dir.join("ubuntu")
    }

    /// Returns the packages of a channel.
    pub(crate) fn of_channel(&self, channel: &str) -> PathBuf {
        self.repository().join(pool(channel))
    }

    /// Returns the static busybox.
    pub(crate) fn busybox(&self) -> PathBuf {
        self.dir.join("busybox")
    }
}

/// Makes the repository once.
pub(crate) async fn ensure(
    cache: &Cache,
    paths: &Paths,
    keys: &Keys,
    talk: Talk,
) -> Result<Packages> {
    let sources = ENGINES
        .iter()
        .flat_map(|engine| engine.sources)
        .chain(EXTRA);
    let id = Recipe::new("packages")
        .with(&keys.id)
        .with_all(sources.flat_map(|(suite, package)| [*suite, *package]))
        .with_all([DOCKER_SERVICE, DOCKER_SOCKET, CONTAINERD_SERVICE])
        .with_all([ENGINE_POSTINST, ENGINE_PRERM, ENGINE_POSTRM])
        .with_all([
            CONTAINERD_POSTINST,
            CONTAINERD_PRERM,
            OLD_CHANNEL,
            NEW_CHANNEL,
            "1",
        ])
        .id();
    let dir = match cache.ready(&id) {
        Some(dir) => dir,
        None => {
            let part = cache.start(&id)?;
            make(
                &Packages {
                    dir: part.clone(),
                    id: String::new(),
                },
                paths,
                keys,
            )
            .await?;
            talk.say("the package repository is ready");
            cache.finish(&id, &part)?
        }
    };
    Ok(Packages {
        dir,
        id: id.file_name(),
    })
}

async fn make(packages: &Packages, paths: &Paths, keys: &Keys) -> Result<()> {
    let work = paths.work().join("packages");
    remove(&work)?;
    let mut debs = Vec::new();
    for suite in ["bookworm", "trixie"] {
        let wanted = ENGINES
            .iter()
            .flat_map(|engine| engine.sources)
            .chain(EXTRA);
        let mut names: Vec<&str> = wanted
            .filter(|source| source.0 == suite)
            .map(|source| source.1)
            .collect();
        names.sort_unstable();
        names.dedup();
        debs.push((suite, download(&work.join(suite), suite, &names).await?));
    }
    let deb = |suite: &str, package: &str| -> Result<PathBuf> {
        let dir = debs
            .iter()
            .find(|(found, _)| *found == suite)
            .map(|(_, dir)| dir);
        one_deb(dir.context("a suite that was not downloaded")?, package)
    };
    for engine in ENGINES {
        let tree = work.join(engine.channel);
        for (suite, package) in engine.sources {
            unpack(&deb(suite, package)?, &tree.join("unpacked")).await?;
        }
        let suite = engine.sources[0].0;
        let versions = Versions {
            engine: upstream_version(&version_of(&deb(suite, "docker.io")?).await?).to_owned(),
            containerd: upstream_version(&version_of(&deb(suite, "containerd")?).await?).to_owned(),
        };
        lay_out(&tree)?;
        pack(
            engine,
            &tree,
            &versions,
            &packages.of_channel(engine.channel),
        )
        .await?;
    }
    unpack(&deb("bookworm", "busybox-static")?, &work.join("busybox")).await?;
    copy_first(
        &work.join("busybox"),
        &["bin/busybox", "usr/bin/busybox"],
        &packages.busybox(),
    )?;
    let signer = keys.signer().await?;
    let channels: Vec<&str> = ENGINES.iter().map(|engine| engine.channel).collect();
    publish(&packages.repository(), &channels, &signer).await?;
    signer.close().await?;
    let public = std::fs::read(keys.repository_public()).context("cannot read the signing key")?;
    write(&packages.repository().join("gpg"), public)?;
    remove(&work)
}

/// Downloads packages with an apt that knows nothing of this machine but its mirror and settings.
async fn download(root: &Path, suite: &str, packages: &[&str]) -> Result<PathBuf> {
    for dir in [
        "etc/apt/apt.conf.d",
        "etc/apt/preferences.d",
        "var/lib/apt/lists/partial",
        "var/cache/apt/archives/partial",
        "debs",
    ] {
        std::fs::create_dir_all(root.join(dir))
            .with_context(|| format!("cannot create `{dir}`"))?;
    }
    write(&root.join("var/lib/dpkg/status"), "")?;
    write(
        &root.join("etc/apt/apt.conf.d/99machine"),
        mirror::settings()?,
    )?;
    let archive = mirror::find()?;
    let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    write(
        &root.join("etc/apt/sources.list"),
        format!("deb [signed-by={keyring}] {archive} {suite} main\n"),
    )?;
    let apt = |args: &[&str]| {
        Cmd::new("apt-get")
            .arg("-o")
            .arg(format!("Dir={}", root.display()))
            .arg("-o")
            .arg(format!(
                "Dir::State::status={}",
                root.join("var/lib/dpkg/status").display()
            ))
            .args([
                "-o",
                "Dir::Etc::sourceparts=/nonexistent",
                "-o",
                "APT::Architecture=amd64",
            ])
            .args(["-o", "APT::Sandbox::User=root"])
            .args(args)
            .inside(&root.join("debs"))
            .within(Duration::from_secs(600))
    };
    apt(&["update", "-qq"]).run().await?;
    apt(&["download", "-qq"]).args(packages).run().await?;
    Ok(root.join("debs"))
}

/// Finds a package in a directory.
pub(super) fn one_deb(dir: &Path, package: &str) -> Result<PathBuf> {
    let prefix = format!("{package}_");
    let entries = std::fs::read_dir(dir)
        .with_context(|| format!("cannot read `{}`", dir.display()))?
        .collect::<std::io::Result<Vec<_>>>()?;
    let found = entries
        .iter()
        .find(|entry| entry.file_name().to_string_lossy().starts_with(&prefix));
    Ok(found
        .with_context(|| format!("package {package} is not there"))?
        .path())
}

async fn unpack(deb: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("cannot create `{}`", to.display()))?;
    Cmd::new("dpkg-deb")
        .arg("-x")
        .arg(deb)
        .arg(to)
        .run()
        .await?;
    Ok(())
}

/// The versions that the packages get: those of the programs, without Debian's suffixes.
struct Versions {
    engine: String,
    containerd: String,
}

/// Returns the version of a package.
pub(super) async fn version_of(deb: &Path) -> Result<String> {
    let field = Cmd::new("dpkg-deb")
        .arg("-f")
        .arg(deb)
        .arg("Version")
        .run()
        .await?;
    Ok(field.text().to_owned())
}

/// Returns the version of the program out of that of a package.
pub(super) fn upstream_version(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    version.split(['+', '~', '-']).next().unwrap_or(version)
}

/// Sorts the unpacked programs into the trees of the three packages.
fn lay_out(tree: &Path) -> Result<()> {
    let from = tree.join("unpacked");
    let place = |sources: &[&str], package: &str, to: &str| {
        copy_first(&from, sources, &tree.join(package).join("usr/bin").join(to))
    };
    place(&["usr/bin/docker"], "docker-ee-cli", "docker")?;
    place(
        &["usr/sbin/dockerd", "usr/bin/dockerd"],
        "docker-ee",
        "dockerd",
    )?;
    place(
        &["usr/sbin/docker-proxy", "usr/bin/docker-proxy"],
        "docker-ee",
        "docker-proxy",
    )?;
    place(&["usr/bin/tini-static"], "docker-ee", "docker-init")?;
    for program in ["containerd", "ctr", "containerd-shim-runc-v2"] {
        place(&[&format!("usr/bin/{program}")], "containerd.io", program)?;
    }
    place(&["usr/sbin/runc", "usr/bin/runc"], "containerd.io", "runc")?;
    let units = "usr/lib/systemd/system";
    let engine = tree.join("docker-ee").join(units);
    write(&engine.join("docker.service"), DOCKER_SERVICE)?;
    write(&engine.join("docker.socket"), DOCKER_SOCKET)?;
    let containerd = tree.join("containerd.io").join(units);
    write(&containerd.join("containerd.service"), CONTAINERD_SERVICE)
}

fn copy_first(root: &Path, sources: &[&str], to: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let candidates = sources.iter().map(|source| root.join(source));
    let Some(from) = candidates.into_iter().find(|path| path.is_file()) else {
        bail!("none of {sources:?} is in `{}`", root.display());
    };
    if let Some(dir) = to.parent() {
        std::fs::create_dir_all(dir)
            .with_context(|| format!("cannot create `{}`", dir.display()))?;
    }
    std::fs::copy(&from, to).with_context(|| format!("cannot copy `{}`", from.display()))?;
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o755))
        .with_context(|| format!("cannot change the mode of `{}`", to.display()))
}

async fn pack(engine: &Engine, tree: &Path, versions: &Versions, pool: &Path) -> Result<()> {
    let version = format!("5:{}-1~ubuntu-{SUITE}", versions.engine);
    let library = engine.library;
    let debs = [
        Deb {
            name: "containerd.io",
            version: format!("{}-1~ubuntu-{SUITE}", versions.containerd),
            depends: "libc6 (>= 2.34), libseccomp2 (>= 2.5.0)".to_owned(),
            conflicts: "containerd, runc",
            scripts: &[
                ("postinst", CONTAINERD_POSTINST),
                ("prerm", CONTAINERD_PRERM),
            ],
        },
        Deb {
            name: "docker-ee-cli",
            version: version.clone(),
            depends: "libc6 (>= 2.34)".to_owned(),
            conflicts: "docker.io, docker-ce-cli",
            scripts: &[],
        },
        Deb {
            name: "docker-ee",
            // The newer engine refuses the older client: they go together.
            depends: format!(
                "containerd.io (>= 1.6.4), docker-ee-cli (= {version}), iptables, \
                 libc6 (>= 2.34), libsystemd0, {library}"
            ),
            version,
            conflicts: "docker.io, docker-ce",
            scripts: &[
                ("postinst", ENGINE_POSTINST),
                ("prerm", ENGINE_PRERM),
                ("postrm", ENGINE_POSTRM),
            ],
        },
    ];
    std::fs::create_dir_all(pool).with_context(|| format!("cannot create `{}`", pool.display()))?;
    for deb in debs {
        deb.build(&tree.join(deb.name), pool).await?;
    }
    Ok(())
}

/// A package to be built.
struct Deb {
    name: &'static str,
    version: String,
    depends: String,
    conflicts: &'static str,
    scripts: &'static [(&'static str, &'static str)],
}

impl Deb {
    async fn build(&self, payload: &Path, pool: &Path) -> Result<()> {
        let meta = payload.join("DEBIAN");
        write(&meta.join("control"), self.control())?;
        for (name, script) in self.scripts {
            write_mode(&meta.join(name), script, 0o755)?;
        }
        let plain = self.version.trim_start_matches("5:");
        Cmd::new("dpkg-deb")
            .args(["--root-owner-group", "-Zzstd", "-z3", "-b"])
            .arg(payload)
            .arg(pool.join(format!("{}_{plain}_amd64.deb", self.name)))
            .within(Duration::from_secs(300))
            .run()
            .await?;
        Ok(())
    }

    fn control(&self) -> String {
        let Self {
            name,
            version,
            depends,
            conflicts,
            ..
        } = self;
        format!(
            "Package: {name}\nVersion: {version}\nArchitecture: amd64\n\
             Maintainer: Launchpad lab <lab@example.invalid>\nSection: admin\nPriority: optional\n\
             Depends: {depends}\nConflicts: {conflicts}\nReplaces: {conflicts}\n\
             Description: {name} for the lab, repacked from Debian\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_lose_their_distribution() {
        assert_eq!(upstream_version("20.10.24+dfsg1-1+deb12u1"), "20.10.24");
        assert_eq!(upstream_version("1.6.20~ds1-1+deb12u3"), "1.6.20");
        assert_eq!(upstream_version("1.36.1-9"), "1.36.1");
        assert_eq!(upstream_version("5:20.10.24-1~ubuntu-jammy"), "20.10.24");
    }

    #[test]
    fn the_engine_depends_on_exactly_its_client() {
        let deb = Deb {
            name: "docker-ee",
            version: "5:26.1.5-1~ubuntu-jammy".to_owned(),
            depends: "docker-ee-cli (= 5:26.1.5-1~ubuntu-jammy)".to_owned(),
            conflicts: "docker.io",
            scripts: &[],
        };

        let control = deb.control();

        assert!(
            control.contains("\nVersion: 5:26.1.5-1~ubuntu-jammy\n"),
            "{control}"
        );
        assert!(
            control.contains("docker-ee-cli (= 5:26.1.5-1~ubuntu-jammy)"),
            "{control}"
        );
    }
}
