//! The base of every root file system of the lab: a minimal Debian, from the machine's own mirror.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cache::{Cache, Recipe, remove};
use crate::command::Cmd;
use crate::machine::mirror;
use crate::machine::tools::is_root;
use crate::paths::{Paths, write};
use crate::talk::Talk;

/// The release every root file system is made of: its systemd runs on cgroup v1 and v2.
const SUITE: &str = "bookworm";

/// What a host has before Launchpad comes, beyond the essential packages.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,openssh-server,sudo,iproute2,curl,ca-certificates,\
    gnupg,iptables,kmod,procps,hostname,less,iputils-ping,netbase,libseccomp2,libdevmapper1.02.1,\
    libnftables1";

/// The file of apt settings taken over from the machine; only for building, never in a host.
const SETTINGS: &str = "etc/apt/apt.conf.d/99machine";

/// The packed root file system and the mirror it came from.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    archive: PathBuf,
    /// What other recipes depend on.
    pub(crate) id: String,
}

/// Makes the base once.
pub(crate) async fn ensure(cache: &Cache, paths: &Paths, talk: Talk) -> Result<Base> {
    let id = Recipe::new("base")
        .with(SUITE)
        .with(PACKAGES)
        .with("1")
        .id();
    let archive = match cache.ready(&id) {
        Some(archive) => archive,
        None => {
            if !is_root() {
                bail!("the images of the lab can be built only by root: run this with sudo once");
            }
            let part = cache.start(&id)?;
            make(&part, paths).await?;
            talk.say("the base root file system is ready");
            cache.finish(&id, &part)?
        }
    };
    Ok(Base {
        archive,
        id: id.file_name(),
    })
}

async fn make(archive: &Path, paths: &Paths) -> Result<()> {
    let root = paths.work().join("base");
    remove(&root)?;
    let log = paths.logs().join("debootstrap.log");
    let debootstrap = Cmd::new("debootstrap")
        .args(["--arch=amd64", "--variant=minbase"])
        .arg(format!("--include={PACKAGES}"))
        .arg("--keyring=/usr/share/keyrings/debian-archive-keyring.gpg")
        .arg(SUITE)
        .arg(&root)
        .arg(mirror::find()?)
        .within(Duration::from_secs(900));
    let finished = debootstrap.finish().await?;
    write(&log, format!("{}{}", finished.stdout, finished.stderr))?;
    if !finished.status.success() {
        bail!(
            "debootstrap ended with status {}; see `{}`",
            finished.code(),
            log.display()
        );
    }
    Cmd::new("chroot")
        .arg(&root)
        .args(["apt-get", "clean"])
        .run()
        .await?;
    Cmd::new("tar")
        .args(["--zstd", "--numeric-owner", "-C"])
        .arg(&root)
        .arg("-cf")
        .arg(archive)
        .arg(".")
        .within(Duration::from_secs(300))
        .run()
        .await?;
    remove(&root)
}

impl Base {
    /// Unpacks the base into a directory of its own.
    pub(crate) async fn unpack(&self, paths: &Paths, name: &str) -> Result<Root> {
        let dir = paths.work().join(name);
        remove(&dir)?;
        std::fs::create_dir_all(&dir)
            .with_context(|| format!("cannot create `{}`", dir.display()))?;
        Cmd::new("tar")
            .args(["--zstd", "--numeric-owner", "-xpf"])
            .arg(&self.archive)
            .arg("-C")
            .arg(&dir)
            .within(Duration::from_secs(300))
            .run()
            .await?;
        Ok(Root { dir })
    }
}

/// A root file system that is being dressed.
pub(crate) struct Root {
    pub(crate) dir: PathBuf,
}

impl Root {
    /// Returns a path in it.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.join(path)
    }

    /// Returns a command that runs in it.
    pub(crate) fn chroot(&self, program: &str) -> Cmd {
        Cmd::new("chroot")
            .arg(&self.dir)
            .arg(program)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C.UTF-8")
            .within(Duration::from_secs(600))
    }

    /// Installs packages of the machine's mirror in it; apt stays open.
    pub(crate) async fn install(&self, packages: &[&str]) -> Result<()> {
        self.open_apt().await?;
        self.chroot("apt-get")
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(packages)
            .run()
            .await?;
        Ok(())
    }

    /// Lets apt in it reach the machine's mirror, and no service start.
    pub(crate) async fn open_apt(&self) -> Result<()> {
        write(&self.path(SETTINGS), mirror::settings()?)?;
        crate::paths::write_mode(
            &self.path("usr/sbin/policy-rc.d"),
            "#!/bin/sh\nexit 101\n",
            0o755,
        )?;
        let resolv = std::fs::read("/etc/resolv.conf").context("cannot read `/etc/resolv.conf`")?;
        remove(&self.path("etc/resolv.conf"))?;
        write(&self.path("etc/resolv.conf"), resolv)?;
        self.chroot("apt-get").args(["update", "-qq"]).run().await?;
        Ok(())
    }

    /// Takes back what building needed.
    pub(crate) async fn close_apt(&self) -> Result<()> {
        self.chroot("apt-get").arg("clean").run().await?;
        for path in [
            SETTINGS,
            "usr/sbin/policy-rc.d",
            "etc/resolv.conf",
            "var/lib/apt/lists",
        ] {
            remove(&self.path(path))?;
        }
        write(&self.path("etc/resolv.conf"), "")?;
        for path in [
            "var/cache/apt/pkgcache.bin",
            "var/cache/apt/srcpkgcache.bin",
        ] {
            remove(&self.path(path))?;
        }
        std::fs::create_dir_all(self.path("var/lib/apt/lists/partial"))
            .context("cannot create apt's list directory")
    }

    /// Removes documentation, which nobody reads in a container.
    pub(crate) fn slim(&self) -> Result<()> {
        for path in [
            "usr/share/doc",
            "usr/share/man",
            "usr/share/locale",
            "usr/share/info",
        ] {
            remove(&self.path(path))?;
            std::fs::create_dir_all(self.path(path))
                .with_context(|| format!("cannot create `{path}`"))?;
        }
        Ok(())
    }

    /// Imports it as an image of the machine's engine.
    pub(crate) async fn import(&self, image: &str, changes: &[&str]) -> Result<()> {
        let tar = Cmd::new("tar")
            .arg("-C")
            .arg(&self.dir)
            .args(["--numeric-owner", "-c", "."]);
        let mut import = Cmd::new("docker")
            .arg("import")
            .within(Duration::from_secs(300));
        for change in changes {
            import = import.arg("--change").arg(change);
        }
        tar.pipe_into(import.arg("-").arg(image)).await?;
        Ok(())
    }

    /// Removes it.
    pub(crate) fn discard(self) -> Result<()> {
        remove(&self.dir)
    }
}
