//! Indexing and signing an apt repository.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::keys::Signer;
use crate::command::Cmd;
use crate::paths::write;

/// The suite of every repository of the lab: the hosts say they are this release of Ubuntu.
pub(crate) const SUITE: &str = "jammy";

/// Returns where the packages of a component are, below a repository.
pub(crate) fn pool(component: &str) -> String {
    format!("dists/{SUITE}/pool/{component}/amd64")
}

/// Indexes the components of a repository and signs the index.
pub(crate) async fn publish(root: &Path, components: &[&str], signer: &Signer) -> Result<()> {
    let dist = root.join("dists").join(SUITE);
    for component in components {
        let index = ftparchive(root)
            .arg("packages")
            .arg(pool(component))
            .run()
            .await?
            .stdout;
        let dir = dist.join(component).join("binary-amd64");
        write(&dir.join("Packages.gz"), gzip(index.as_bytes())?)?;
        write(&dir.join("Packages"), index)?;
    }
    let release = |field: &str, value: &str| format!("APT::FTPArchive::Release::{field}={value}");
    let text = ftparchive(root)
        .args([
            "-o",
            &release("Origin", "Mirantis"),
            "-o",
            &release("Suite", SUITE),
        ])
        .args([
            "-o",
            &release("Codename", SUITE),
            "-o",
            &release("Architectures", "amd64"),
        ])
        .args(["-o", &release("Components", &components.join(" "))])
        .args(["release", &format!("dists/{SUITE}")])
        .run()
        .await?
        .stdout;
    let file = dist.join("Release");
    write(&file, text)?;
    signer
        .sign(&["--clearsign"], &file, &dist.join("InRelease"))
        .await?;
    signer
        .sign(
            &["--armor", "--detach-sign"],
            &file,
            &dist.join("Release.gpg"),
        )
        .await
}

fn ftparchive(root: &Path) -> Cmd {
    Cmd::new("apt-ftparchive")
        .inside(root)
        .within(Duration::from_secs(120))
}

/// Compresses bytes.
pub(crate) fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).context("cannot compress")?;
    encoder.finish().context("cannot compress")
}
