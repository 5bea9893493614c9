//! Where the driver keeps things: all under one directory that git ignores.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The environment variable that moves the lab's directory.
const LAB_DIR: &str = "LAUNCHPAD_LAB_DIR";

/// The directories of the driver.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    /// The repository.
    pub(crate) root: PathBuf,
    /// What the lab keeps between runs.
    pub(crate) lab: PathBuf,
}

impl Paths {
    /// Finds the repository above the current directory and the lab's directory.
    pub(crate) fn find() -> Result<Self> {
        let here = std::env::current_dir().context("cannot read the current directory")?;
        let Some(root) = here
            .ancestors()
            .find(|dir| dir.join("e2e/Cargo.toml").is_file())
        else {
            bail!("`{}` is not in the repository of Launchpad", here.display());
        };
        let lab = match std::env::var_os(LAB_DIR) {
            Some(dir) if !dir.is_empty() => here.join(dir),
            _ => root.join(".lab"),
        };
        for dir in ["cache", "work", "logs"] {
            let dir = lab.join(dir);
            std::fs::create_dir_all(&dir)
                .with_context(|| format!("cannot create `{}`", dir.display()))?;
        }
        Ok(Self {
            root: root.to_owned(),
            lab,
        })
    }

    /// Returns the directory of cached artefacts.
    pub(crate) fn cache(&self) -> PathBuf {
        self.lab.join("cache")
    }

    /// Returns the directory for files that are needed only while something is built.
    pub(crate) fn work(&self) -> PathBuf {
        self.lab.join("work")
    }

    /// Returns the directory for the logs of failed runs.
    pub(crate) fn logs(&self) -> PathBuf {
        self.lab.join("logs")
    }

    /// Returns the binary of Launchpad that the stories run.
    pub(crate) fn launchpad(&self) -> PathBuf {
        target(&self.root).join("release/launchpad")
    }

    /// Returns the directory of the stand-in of MKE, built for the hosts.
    pub(crate) fn standin_target(&self) -> PathBuf {
        target(&self.root).join("lab")
    }
}

/// Returns cargo's target directory.
fn target(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) if !dir.is_empty() => root.join(dir),
        _ => root.join("target"),
    }
}

/// Writes a file, with the path in the error.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)
            .with_context(|| format!("cannot create `{}`", dir.display()))?;
    }
    std::fs::write(path, content).with_context(|| format!("cannot write `{}`", path.display()))
}

/// Writes a file with a mode.
pub(crate) fn write_mode(path: &Path, content: impl AsRef<[u8]>, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    write(path, content)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .with_context(|| format!("cannot change the mode of `{}`", path.display()))
}
