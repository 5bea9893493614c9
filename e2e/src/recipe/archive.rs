//! The hosts' distribution archive: only what a host may be asked to install, signed by the lab.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::base::Base;
use super::keys::Keys;
use super::repository::{pool, publish};
use crate::cache::{Cache, Recipe};
use crate::paths::Paths;
use crate::talk::Talk;

/// Packages that no host has, with all that they need.
const ABSENT: &[&str] = &[
    "apt-utils",
    "fish",
    "jq",
    "nftables",
    "opendoas",
    "pigz",
    "socat",
    "tcsh",
    "wget",
    "zsh",
];

/// Packages that every host has: apt must still know where they come from.
const PRESENT: &[&str] = &[
    "ca-certificates",
    "curl",
    "gnupg",
    "iptables",
    "iputils-ping",
];

/// The archive.
#[derive(Clone, Debug)]
pub(crate) struct Archive {
    /// What the web server shows as `http://archive.lab/ubuntu`.
    pub(crate) dir: PathBuf,
}

/// Makes the archive once.
pub(crate) async fn ensure(
    cache: &Cache,
    paths: &Paths,
    keys: &Keys,
    base: &Base,
    talk: Talk,
) -> Result<Archive> {
    let id = Recipe::new("archive")
        .with(&keys.id)
        .with(&base.id)
        .with_all(ABSENT)
        .with("and")
        .with_all(PRESENT)
        .id();
    let dir = match cache.ready(&id) {
        Some(dir) => dir,
        None => {
            let part = cache.start(&id)?;
            make(&part, paths, keys, base).await?;
            talk.say("the hosts' distribution archive is ready");
            cache.finish(&id, &part)?
        }
    };
    Ok(Archive { dir })
}

async fn make(part: &Path, paths: &Paths, keys: &Keys, base: &Base) -> Result<()> {
    let root = base.unpack(paths, "archive").await?;
    root.open_apt().await?;
    let fetch = |flags: &[&str], packages: &[&str]| {
        root.chroot("apt-get")
            .args([
                "install",
                "-y",
                "-qq",
                "--no-install-recommends",
                "--download-only",
            ])
            .args(flags)
            .args(packages)
    };
    fetch(&[], ABSENT).run().await?;
    fetch(&["--reinstall"], PRESENT).run().await?;
    let to = part.join(pool("main"));
    std::fs::create_dir_all(&to).with_context(|| format!("cannot create `{}`", to.display()))?;
    let from = root.path("var/cache/apt/archives");
    for entry in std::fs::read_dir(&from).context("cannot read apt's archives")? {
        let path = entry.context("cannot read apt's archives")?.path();
        if let (Some("deb"), Some(name)) = (
            path.extension().and_then(|extension| extension.to_str()),
            path.file_name(),
        ) {
            std::fs::rename(&path, to.join(name))
                .with_context(|| format!("cannot move `{}`", path.display()))?;
        }
    }
    let signer = keys.signer().await?;
    publish(part, &["main"], &signer).await?;
    signer.close().await?;
    root.discard()
}
