//! The images of hosts: the base dressed as Ubuntu, and the same with the engine already installed.

use std::path::Path;

use anyhow::{Context, Result};

use super::base::{Base, Root};
use super::keys::Keys;
use super::packages::{OLD_CHANNEL, Packages};
use super::repository::SUITE;
use crate::cache::{Id, Recipe, remove};
use crate::paths::{Paths, write, write_mode};
use crate::talk::Talk;

const INIT: &str = include_str!("../../files/lab-init");
const HOST_KEYS: &str = include_str!("../../files/lab-hostkeys.service");
const OS_RELEASE: &str = include_str!("../../files/os-release-ubuntu");
const SSHD: &str = include_str!("../../files/sshd.conf");
const JOURNALD: &str = include_str!("../../files/journald.conf");

/// Where the distribution's packages are.
const ARCHIVE: &str = "http://archive.lab/ubuntu";

/// The login user of the hosts.
pub(crate) const USER: &str = "lab";

/// How an image starts.
pub(super) const CHANGES: &[&str] = &["CMD [\"/usr/local/sbin/lab-init\"]", "ENV container=docker"];

/// Units that make no sense in a container, or would change the machine around it.
const MASKED: &[&str] = &[
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "dev-hugepages.mount",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "getty.target",
    "getty@.service",
    "man-db.timer",
    "motd-news.timer",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-firstboot.service",
    "systemd-modules-load.service",
    "systemd-networkd-wait-online.service",
    "systemd-networkd.service",
    "systemd-oomd.service",
    "systemd-remount-fs.service",
    "systemd-resolved.service",
    "systemd-sysctl.service",
    "systemd-timesyncd.service",
    "systemd-udev-trigger.service",
    "systemd-udevd-control.socket",
    "systemd-udevd-kernel.socket",
    "systemd-udevd.service",
];

/// The names of the two images.
pub(crate) struct HostImages {
    /// A host as it comes from the distribution.
    pub(crate) bare: Id,
    /// A host with the engine of the older channel.
    pub(crate) engine: Id,
}

/// Adds what every image of a host depends on.
pub(super) fn common(recipe: Recipe, base: &str, keys: &Keys) -> Recipe {
    recipe
        .with(base)
        .with(&keys.id)
        .with_all([INIT, HOST_KEYS, SSHD, JOURNALD, USER])
        .with_all(MASKED)
        .with_all(CHANGES)
        .with("3")
}

/// Returns the names of the images, without making them.
pub(crate) fn ids(base: &str, keys: &Keys, packages: &Packages) -> HostImages {
    let recipe = |name| {
        common(Recipe::new(name), base, keys)
            .with(OS_RELEASE)
            .with(ARCHIVE)
    };
    HostImages {
        bare: recipe("host").id(),
        engine: recipe("engine").with(&packages.id).with(OLD_CHANNEL).id(),
    }
}

/// Makes both images.
pub(crate) async fn make(
    images: &HostImages,
    paths: &Paths,
    keys: &Keys,
    base: &Base,
    packages: &Packages,
    talk: Talk,
) -> Result<()> {
    let root = base.unpack(paths, "host").await?;
    trust_archive(&root, keys).await?;
    dress(&root, keys, OS_RELEASE).await?;
    root.import(&images.bare.image(), CHANGES).await?;
    talk.say("the image of bare hosts is ready");
    install_engine(&root, &packages.of_channel(OLD_CHANNEL)).await?;
    root.import(&images.engine.image(), CHANGES).await?;
    talk.say("the image of hosts with an engine is ready");
    root.discard()
}

/// Makes a host of a root file system, of whatever system it says it is.
pub(super) async fn dress(root: &Root, keys: &Keys, os_release: &str) -> Result<()> {
    write_mode(&root.path("usr/local/sbin/lab-init"), INIT, 0o755)?;
    write(
        &root.path("etc/systemd/system/lab-hostkeys.service"),
        HOST_KEYS,
    )?;
    write(&root.path("etc/ssh/sshd_config.d/lab.conf"), SSHD)?;
    write(&root.path("etc/systemd/journald.conf.d/lab.conf"), JOURNALD)?;
    // `/etc/os-release` is a link to this file, as in the distribution.
    write(&root.path("usr/lib/os-release"), os_release)?;
    forget_identity(root)?;
    trust(root, keys).await?;
    add_user(root).await?;
    root.chroot("systemctl")
        .args(["enable", "lab-hostkeys.service", "ssh.service"])
        .run()
        .await?;
    root.chroot("systemctl")
        .args(["set-default", "multi-user.target"])
        .run()
        .await?;
    for unit in MASKED {
        let link = root.path("etc/systemd/system").join(unit);
        remove(&link)?;
        std::os::unix::fs::symlink("/dev/null", &link)
            .with_context(|| format!("cannot mask {unit}"))?;
    }
    root.close_apt().await?;
    root.slim()
}

/// Removes what must differ between hosts.
fn forget_identity(root: &Root) -> Result<()> {
    let ssh = root.path("etc/ssh");
    for entry in std::fs::read_dir(&ssh).context("cannot read the configuration of sshd")? {
        let path = entry
            .context("cannot read the configuration of sshd")?
            .path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with("ssh_host_") {
            remove(&path)?;
        }
    }
    remove(&root.path("var/lib/dbus/machine-id"))?;
    write(&root.path("etc/machine-id"), "")
}

/// Makes the hosts trust the lab's CA.
async fn trust(root: &Root, keys: &Keys) -> Result<()> {
    let ca = std::fs::read(keys.ca()).context("cannot read the CA of the lab")?;
    write(
        &root.path("usr/local/share/ca-certificates/launchpad-lab.crt"),
        ca,
    )?;
    root.chroot("update-ca-certificates").run().await?;
    Ok(())
}

/// Makes the hosts take packages from the lab's archive.
async fn trust_archive(root: &Root, keys: &Keys) -> Result<()> {
    let signer = keys.signer().await?;
    signer
        .export(&root.path("etc/apt/trusted.gpg.d/launchpad-lab.gpg"))
        .await?;
    signer.close().await?;
    let source = format!("deb {ARCHIVE} {SUITE} main\n");
    write(&root.path("etc/apt/sources.list"), source)
}

async fn add_user(root: &Root) -> Result<()> {
    root.chroot("useradd")
        .args(["-m", "-s", "/bin/bash", USER])
        .run()
        .await?;
    let rule = format!("{USER} ALL=(ALL) NOPASSWD:ALL\n");
    write_mode(&root.path("etc/sudoers.d/lab"), rule, 0o440)
}

async fn install_engine(root: &Root, debs: &Path) -> Result<()> {
    let inside = root.path("tmp/debs");
    std::fs::create_dir_all(&inside).context("cannot create a directory for packages")?;
    let mut install = root.chroot("dpkg").arg("-i");
    for entry in std::fs::read_dir(debs).context("cannot read the packages of a channel")? {
        let entry = entry.context("cannot read the packages of a channel")?;
        std::fs::copy(entry.path(), inside.join(entry.file_name()))
            .with_context(|| format!("cannot copy `{}`", entry.path().display()))?;
        install = install.arg(Path::new("/tmp/debs").join(entry.file_name()));
    }
    install.run().await?;
    remove(&inside)
}
