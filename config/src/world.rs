//! What a configuration may ask of the machine, and where its file is looked for.

use std::io;
use std::path::{Path, PathBuf};

/// The machine that launchpad runs on, as far as a configuration reads it.
pub trait World {
    /// Returns a variable of the environment.
    fn var(&self, name: &str) -> Option<String>;
    /// Returns the home directory.
    fn home(&self) -> Option<PathBuf>;
    /// Returns the directory that relative paths start from.
    fn current_dir(&self) -> PathBuf;
    /// Reads a file, and stops behind [`LARGEST_FILE`]: one byte more tells that there is too much.
    ///
    /// # Errors
    ///
    /// Fails where there is no such file, or it cannot be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Whether there is something at a path, which is not read: a pipe can be read only once.
    fn is_there(&self, path: &Path) -> bool {
        // A file that is there and cannot be read is an error of its own, told by who reads it.
        match self.read(path) {
            Ok(_) => true,
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }
    /// Returns the permission bits of a file (`0o600`), where that is a question that has an answer.
    fn mode(&self, _path: &Path) -> Option<u32> {
        None
    }
}

/// The largest file that a configuration may name, in bytes.
pub const LARGEST_FILE: usize = 4 << 20;

/// No file of the configuration was found.
#[derive(Debug, thiserror::Error)]
#[error("there is no configuration file {}", names(.tried))]
pub struct NotFound {
    /// The files that were tried, with their full paths.
    pub tried: Vec<PathBuf>,
}

fn names(paths: &[PathBuf]) -> String {
    let texts: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    crate::shown::one_of(&texts)
}

/// Returns the file of the configuration: the one that is given, else `launchpad.yaml`; where that
/// does not exist, the same with the other of the endings `.yaml` and `.yml`.
///
/// `~` is expanded. The path stays relative where it was given so.
///
/// # Errors
///
/// Fails with the names of the files that do not exist.
pub fn locate(given: Option<&Path>, world: &dyn World) -> Result<PathBuf, NotFound> {
    let first = match given {
        Some(path) => path
            .to_str()
            .and_then(|text| expand(text, world).ok())
            .unwrap_or_else(|| path.to_owned()),
        None => PathBuf::from("launchpad.yaml"),
    };
    let mut tried = vec![first];
    tried.extend(tried.first().and_then(|path| other_ending(path)));
    let is_there = |path: &&PathBuf| world.is_there(&world.current_dir().join(path));
    match tried.iter().find(is_there) {
        Some(found) => Ok(found.clone()),
        None => {
            let full = |path: PathBuf| {
                let full = world.current_dir().join(path);
                full.components().collect()
            };
            let tried = tried.into_iter().map(full).collect();
            Err(NotFound { tried })
        }
    }
}

fn other_ending(path: &Path) -> Option<PathBuf> {
    let text = path.to_str()?;
    let other = match (text.strip_suffix(".yaml"), text.strip_suffix(".yml")) {
        (Some(stem), _) => format!("{stem}.yml"),
        (None, Some(stem)) => format!("{stem}.yaml"),
        (None, None) => return None,
    };
    Some(PathBuf::from(other))
}

/// Expands `~` at the start of a path.
///
/// # Errors
///
/// Fails with a reason for `~user`, and where there is no home directory.
pub(crate) fn expand(path: &str, world: &dyn World) -> Result<PathBuf, &'static str> {
    let Some(rest) = path.strip_prefix('~') else {
        return Ok(PathBuf::from(path));
    };
    if !rest.is_empty() && !rest.starts_with(['/', '\\']) {
        return Err("`~user` cannot be expanded");
    }
    let home = world.home().ok_or("there is no home directory for `~`")?;
    let rest = rest.trim_start_matches(['/', '\\']);
    Ok(if rest.is_empty() {
        home
    } else {
        home.join(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Files(Vec<&'static str>);

    impl World for Files {
        fn var(&self, _: &str) -> Option<String> {
            None
        }
        fn home(&self) -> Option<PathBuf> {
            Some(PathBuf::from("/home/me"))
        }
        fn current_dir(&self) -> PathBuf {
            PathBuf::from("/work")
        }
        fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
            let is_there = self.0.iter().any(|file| Path::new(file) == path);
            is_there
                .then(Vec::new)
                .ok_or_else(|| io::ErrorKind::NotFound.into())
        }
    }

    fn located(given: Option<&str>, files: &[&'static str]) -> Result<String, String> {
        locate(given.map(Path::new), &Files(files.to_vec()))
            .map(|path| path.display().to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn finds_the_file_with_either_ending() {
        for (given, files, found) in [
            (None, vec!["/work/launchpad.yaml"], "launchpad.yaml"),
            (None, vec!["/work/launchpad.yml"], "launchpad.yml"),
            (Some("a.yml"), vec!["/work/a.yaml"], "a.yaml"),
            (
                Some("a.yaml.d/b.yaml"),
                vec!["/work/a.yaml.d/b.yml"],
                "a.yaml.d/b.yml",
            ),
            (Some("~/b.yaml"), vec!["/home/me/b.yaml"], "/home/me/b.yaml"),
            (Some("/x/plain"), vec!["/x/plain"], "/x/plain"),
        ] {
            assert_eq!(located(given, &files).as_deref(), Ok(found));
        }
    }

    #[test]
    fn names_every_file_that_was_tried() {
        assert_eq!(
            located(None, &[]).unwrap_err(),
            "there is no configuration file `/work/launchpad.yaml` or `/work/launchpad.yml`"
        );
        assert_eq!(
            located(Some("x.json"), &[]).unwrap_err(),
            "there is no configuration file `/work/x.json`"
        );
    }

    #[test]
    fn expands_only_the_own_home() {
        let world = Files(Vec::new());

        assert_eq!(expand("~", &world), Ok(PathBuf::from("/home/me")));
        assert_eq!(expand("~/a", &world), Ok(PathBuf::from("/home/me/a")));
        assert_eq!(expand("~\\a", &world), Ok(PathBuf::from("/home/me/a")));
        assert_eq!(expand("a~", &world), Ok(PathBuf::from("a~")));
        assert!(expand("~root/a", &world).is_err());
    }
}
