//! The images of hosts with rpm: the base with Debian's dnf or zypper, dressed as Rocky Linux and as SLES.

use std::path::Path;

use anyhow::{Context, Result};

use super::base::{Base, Root};
use super::host::{self, CHANGES};
use super::keys::Keys;
use super::rpms::{self, Distribution, Rpms};
use crate::cache::{Id, Recipe, remove};
use crate::paths::{Paths, write, write_mode};
use crate::talk::Talk;

/// What every host with rpm has: where its database is, and what its engine does when it is installed.
const COMMON: &[(&str, &str)] = &[
    ("etc/rpm/macros", "%_dbpath /var/lib/rpm\n"),
    (
        "usr/lib/systemd/system-preset/90-default.preset",
        include_str!("../../files/engine.preset"),
    ),
];

/// Takes the place of Debian's rpm, and calls it.
const RPM: &str = include_str!("../../files/rpm");

/// Plugins of dnf that come with Debian's and not with Rocky Linux's.
const PLUGINS: &[&str] = &["leaves", "local", "post-transaction-actions", "show_leaves"];

/// Where they are.
const PLUGIN_DIRECTORY: &str = "usr/lib/python3/dist-packages/dnf-plugins";

/// The programs of another distribution.
const FOREIGN: &[&str] = &["apt", "dpkg"];

/// A system of hosts with rpm.
pub(crate) struct System {
    distribution: Distribution,
    os_release: &'static str,
    /// Packages of Debian.
    tools: &'static [&'static str],
    files: &'static [(&'static str, &'static str)],
    /// Links, and what they lead to.
    links: &'static [(&'static str, &'static str)],
    /// Whether it trusts the key of its repositories before anybody says so.
    trusts_key: bool,
}

/// Rocky Linux 9.
pub(crate) const ROCKY: System = System {
    distribution: rpms::ROCKY,
    os_release: include_str!("../../files/os-release-rocky"),
    tools: &["dnf", "dnf-plugins-core", "rpm"],
    files: &[
        ("etc/dnf/dnf.conf", include_str!("../../files/dnf.conf")),
        (
            "etc/redhat-release",
            "Rocky Linux release 9.4 (Blue Onyx)\n",
        ),
        (
            "etc/yum.repos.d/rocky.repo",
            include_str!("../../files/rocky.repo"),
        ),
    ],
    links: &[
        ("etc/system-release", "redhat-release"),
        ("usr/bin/yum", "dnf-3"),
    ],
    trusts_key: false,
};

/// SLES 15 SP5.
pub(crate) const SLES: System = System {
    distribution: rpms::SLES,
    os_release: include_str!("../../files/os-release-sles"),
    tools: &["rpm", "zypper"],
    files: &[
        (
            "etc/products.d/SLES.prod",
            include_str!("../../files/sles.prod"),
        ),
        (
            "etc/zypp/repos.d/base.repo",
            include_str!("../../files/sles.repo"),
        ),
    ],
    links: &[("etc/products.d/baseproduct", "SLES.prod")],
    trusts_key: true,
};

impl System {
    /// Returns the name of its image, without making it.
    pub(crate) fn id(&self, base: &str, keys: &Keys, rpms: &Rpms) -> Id {
        let files = COMMON.iter().chain(self.files).chain(self.links);
        host::common(Recipe::new(self.distribution.mark), base, keys)
            .with(&rpms.id)
            .with(self.os_release)
            .with_all(self.tools)
            .with_all(files.flat_map(|(path, text)| [*path, *text]))
            .with_all(FOREIGN)
            .with_all(PLUGINS)
            .with_all([MOVE_IN, RPM])
            .with("2")
            .id()
    }

    /// Makes its image.
    pub(crate) async fn make(
        &self,
        id: &Id,
        paths: &Paths,
        keys: &Keys,
        base: &Base,
        rpms: &Rpms,
        talk: Talk,
    ) -> Result<()> {
        let mark = self.distribution.mark;
        let root = base.unpack(paths, mark).await?;
        root.install(self.tools).await?;
        host::dress(&root, keys, self.os_release).await?;
        for (path, text) in COMMON.iter().chain(self.files) {
            write(&root.path(path), text)?;
        }
        for (path, target) in self.links {
            remove(&root.path(path))?;
            std::os::unix::fs::symlink(target, root.path(path))
                .with_context(|| format!("cannot make the link `{path}`"))?;
        }
        replace_rpm(&root)?;
        self.move_in(&root, keys, rpms).await?;
        forget_debian(&root)?;
        root.import(&id.image(), CHANGES).await?;
        talk.say(format!("the image of hosts {mark} is ready"));
        root.discard()
    }

    /// Fills the database of packages: what is there came with the base; here only its names are told.
    async fn move_in(&self, root: &Root, keys: &Keys, rpms: &Rpms) -> Result<()> {
        let inside = root.path("tmp/installed");
        std::fs::create_dir_all(&inside).context("cannot create a directory for packages")?;
        let from = rpms.installed(self.distribution);
        for entry in std::fs::read_dir(&from).context("cannot read the packages of a host")? {
            let path = entry.context("cannot read the packages of a host")?.path();
            copy_into(&path, &inside)?;
        }
        let key = root.path("tmp/installed/key");
        if self.trusts_key {
            std::fs::copy(keys.repository_public(), &key).context("cannot copy the signing key")?;
        }
        root.chroot("sh").args(["-c", MOVE_IN]).run().await?;
        remove(&inside)
    }
}

const MOVE_IN: &str = r#"
set -eu
rm -rf /root/.rpmdb
rpm --initdb
rpm -i --justdb --nodeps --noscripts --nosignature /tmp/installed/*.rpm
if [ -f /tmp/installed/key ]; then rpm --import /tmp/installed/key; fi
"#;

fn replace_rpm(root: &Root) -> Result<()> {
    let to = root.path("usr/lib/rpm/debian/rpm");
    std::fs::create_dir_all(root.path("usr/lib/rpm/debian"))
        .context("cannot create a directory for rpm")?;
    std::fs::rename(root.path("usr/bin/rpm"), to).context("cannot move rpm")?;
    write_mode(&root.path("usr/bin/rpm"), RPM, 0o755)
}

fn copy_into(file: &Path, directory: &Path) -> Result<()> {
    let to = directory.join(file.file_name().unwrap_or_default());
    std::fs::copy(file, to).with_context(|| format!("cannot copy `{}`", file.display()))?;
    Ok(())
}

/// Takes away what only Debian has, its package manager first: nobody may find it by accident.
fn forget_debian(root: &Root) -> Result<()> {
    let programs = root.path("usr/bin");
    for entry in std::fs::read_dir(&programs).context("cannot read `/usr/bin`")? {
        let path = entry.context("cannot read `/usr/bin`")?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if FOREIGN.iter().any(|foreign| name.starts_with(foreign)) {
            remove(&path)?;
        }
    }
    for plugin in PLUGINS {
        remove(&root.path(PLUGIN_DIRECTORY).join(format!("{plugin}.py")))?;
        remove(&root.path(&format!("etc/dnf/plugins/{plugin}.conf")))?;
    }
    for path in [
        "etc/apt",
        "etc/debian_version",
        "var/lib/apt",
        "var/lib/dpkg",
    ] {
        remove(&root.path(path))?;
    }
    Ok(())
}
