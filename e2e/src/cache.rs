//! Artefacts kept between runs, named by a hash of their recipe: what a recipe says is what is in the cache.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// The inputs an artefact is made from.
pub(crate) struct Recipe {
    name: &'static str,
    digest: Sha256,
}

impl Recipe {
    /// Starts a recipe.
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            digest: Sha256::new(),
        }
    }

    /// Adds an input; a length before each keeps neighbours apart.
    pub(crate) fn with(mut self, input: impl AsRef<[u8]>) -> Self {
        let input = input.as_ref();
        self.digest.update((input.len() as u64).to_be_bytes());
        self.digest.update(input);
        self
    }

    /// Adds several inputs.
    pub(crate) fn with_all<I>(self, inputs: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        inputs
            .into_iter()
            .fold(self, |recipe, input| recipe.with(input))
    }

    /// Returns the name of the artefact: its kind and the hash of its inputs.
    pub(crate) fn id(self) -> Id {
        let hash = hex(&self.digest.finalize()[..6]);
        Id {
            name: self.name,
            hash,
        }
    }
}

/// The name of an artefact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Id {
    name: &'static str,
    hash: String,
}

impl Id {
    /// Returns the name of a file or directory in the cache.
    pub(crate) fn file_name(&self) -> String {
        format!("{}-{}", self.name, self.hash)
    }

    /// Returns the name of an image of the machine's engine.
    pub(crate) fn image(&self) -> String {
        format!("launchpad-lab/{}:{}", self.name, self.hash)
    }
}

/// The directory of artefacts.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
}

impl Cache {
    /// Uses a directory.
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Returns where an artefact is, if it is complete.
    pub(crate) fn ready(&self, id: &Id) -> Option<PathBuf> {
        Some(self.dir.join(id.file_name())).filter(|path| path.exists())
    }

    /// Returns a fresh path for an artefact that is being made.
    pub(crate) fn start(&self, id: &Id) -> Result<PathBuf> {
        let part = self.dir.join(format!("{}.part", id.file_name()));
        remove(&part)?;
        Ok(part)
    }

    /// Gives a finished artefact its name.
    pub(crate) fn finish(&self, id: &Id, part: &Path) -> Result<PathBuf> {
        let path = self.dir.join(id.file_name());
        std::fs::rename(part, &path)
            .with_context(|| format!("cannot rename `{}`", part.display()))?;
        Ok(path)
    }
}

/// Removes a file or a tree, if it is there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let removed = match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    removed.with_context(|| format!("cannot remove `{}`", path.display()))
}

/// Writes bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_input_is_another_artefact() {
        let one = Recipe::new("x").with("ab").with("c").id();
        let two = Recipe::new("x").with("a").with("bc").id();

        assert_ne!(one, two);
    }

    #[test]
    fn an_artefact_is_ready_only_when_it_is_finished() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path().to_owned());
        let id = Recipe::new("x").id();

        let part = cache.start(&id).unwrap();
        std::fs::write(&part, "half").unwrap();
        assert_eq!(cache.ready(&id), None);

        let path = cache.finish(&id, &part).unwrap();
        assert_eq!(cache.ready(&id), Some(path));
    }
}
