//! Files and directories for the user alone, written as a whole or not at all.
//!
//! What is new is made beside what is there, and takes its place in one step: who is interrupted
//! leaves the old one as it was, and nobody ever sees a half.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

/// When a directory that was never put in its place is left by somebody who was killed.
const LEFT: Duration = Duration::from_secs(3600);
/// How many links are followed to a file.
const MOST_LINKS: usize = 32;

/// What could not be done on this machine.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} `{}`", path.display())]
pub(crate) struct PrivateError {
    /// What was tried.
    what: &'static str,
    /// With which file or directory.
    path: PathBuf,
    /// The cause.
    #[source]
    source: io::Error,
}

impl From<PrivateError> for crate::error::CliError {
    fn from(error: PrivateError) -> Self {
        Self::Local {
            what: error.to_string(),
            source: error.source,
        }
    }
}

fn cannot<'p>(what: &'static str, path: &'p Path) -> impl FnOnce(io::Error) -> PrivateError + 'p {
    move |source| PrivateError {
        what,
        path: path.to_owned(),
        source,
    }
}

/// Makes a directory and those above it, for the user alone where they are new.
fn create_above(path: &Path) -> Result<(), PrivateError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(cannot("create the directory", path))
}

/// What only the user may read and write.
pub(crate) const PRIVATE: u32 = 0o600;

fn create_file(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    let mut file: File = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE)
        .open(path)?;
    let written = file.write_all(content).and_then(|()| {
        // What the umask has taken away is given back.
        file.set_permissions(Permissions::from_mode(mode))
    });
    if written.is_err() {
        // Half a file helps nobody.
        remove(path);
        return written;
    }
    file.sync_all()
}

/// A directory on its way to its place; it goes with everything in it where it does not get there.
#[derive(Debug)]
pub(crate) struct Staging {
    directory: PathBuf,
    target: PathBuf,
}

impl Staging {
    /// Makes an empty directory beside `target`, and removes what killed runs have left there.
    pub(crate) fn create(target: &Path, id: &str, now: SystemTime) -> Result<Self, PrivateError> {
        let above = target.parent().unwrap_or(target);
        create_above(above)?;
        // Older versions have made it for everybody.
        std::fs::set_permissions(above, Permissions::from_mode(0o700))
            .map_err(cannot("make private", above))?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let prefix = format!(".{name}.new-");
        sweep(above, &prefix, now);
        let directory = above.join(format!("{prefix}{id}"));
        DirBuilder::new()
            .mode(0o700)
            .create(&directory)
            .map_err(cannot("create the directory", &directory))?;
        let target = target.to_owned();
        Ok(Self { directory, target })
    }

    /// Writes a file; the parts of its path are plain names.
    pub(crate) fn add(&self, path: &[String], content: &[u8]) -> Result<(), PrivateError> {
        let mut directory = self.directory.clone();
        let mut file = directory.clone();
        for part in path {
            file = directory.join(part);
            directory = file.clone();
        }
        if let Some(above) = file.parent() {
            create_above(above)?;
        }
        create_file(&file, PRIVATE, content).map_err(cannot("write", &file))
    }

    /// Puts the directory in its place; what was there before is gone.
    pub(crate) fn swap(self) -> Result<(), PrivateError> {
        let (directory, target) = (&self.directory, &self.target);
        let swapped = match std::fs::symlink_metadata(target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::rename(directory, target)
            }
            Err(error) => Err(error),
            Ok(_) => exchange(directory, target),
        };
        // What is under the name of the staging now is the old one, or nothing: it is dropped.
        swapped.map_err(cannot("replace", target))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        remove(&self.directory);
    }
}

/// Removes a directory, or whatever else has this name. What cannot be removed is in the way of
/// nobody: the next run tries again.
pub(crate) fn remove(path: &Path) {
    if std::fs::remove_dir_all(path).is_err() {
        let _ = std::fs::remove_file(path);
    }
}

/// Removes directories that were left by somebody who was killed.
fn sweep(above: &Path, prefix: &str, now: SystemTime) {
    let Ok(entries) = std::fs::read_dir(above) else {
        return;
    };
    for entry in entries.flatten() {
        let is_one = entry.file_name().to_string_lossy().starts_with(prefix);
        let modified = entry.metadata().and_then(|found| found.modified());
        let age = modified.map(|time| now.duration_since(time).unwrap_or_default());
        if is_one && age.is_ok_and(|age| age > LEFT) {
            remove(&entry.path());
        }
    }
}

/// Lets two directories change places, in one step where the file system knows how.
fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => exchange_in_steps(new, old),
        Err(error) => Err(error.into()),
    }
}

fn exchange_in_steps(new: &Path, old: &Path) -> io::Result<()> {
    let mut aside = new.as_os_str().to_owned();
    aside.push(".old");
    let aside = PathBuf::from(aside);
    std::fs::rename(old, &aside)?;
    if let Err(error) = std::fs::rename(new, old) {
        std::fs::rename(&aside, old)?;
        return Err(error);
    }
    remove(&aside);
    Ok(())
}

/// Returns the file that a path leads to, links followed, also where it is not there yet.
pub(crate) fn followed(path: &Path) -> Result<PathBuf, PrivateError> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match std::fs::read_link(&path) {
            Ok(target) => {
                path = path.parent().unwrap_or(Path::new("/")).join(target);
            }
            // It is no link, or it is not there.
            Err(_) => return Ok(path),
        }
    }
    let error = io::Error::other("too many symbolic links");
    Err(cannot("follow", &path)(error))
}

/// Reads a file; nothing where there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, PrivateError> {
    match std::fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot("read", path)(error)),
    }
}

/// Replaces a file by another content, as long as it is still what it was; returns whether it was.
pub(crate) fn replace_file(
    path: &Path,
    id: &str,
    mode: u32,
    was: Option<&[u8]>,
    content: &[u8],
) -> Result<bool, PrivateError> {
    let above = path.parent().unwrap_or(Path::new("."));
    create_above(above)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let fresh = above.join(format!(".{name}.new-{id}"));
    let written = create_file(&fresh, mode, content).map_err(cannot("write", &fresh));
    let replaced = written.and_then(|()| {
        if read(path)?.as_deref() != was {
            return Ok(false);
        }
        std::fs::rename(&fresh, path).map_err(cannot("replace", path))?;
        Ok(true)
    });
    if !matches!(replaced, Ok(true)) {
        remove(&fresh);
    }
    replaced
}

/// Writes a file for the user alone; one that is there goes first, with the rights that it had.
pub(crate) fn write_anew(path: &Path, content: &[u8]) -> Result<(), PrivateError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(cannot("remove", path)(error));
        }
        _ => {}
    }
    create_file(path, PRIVATE, content).map_err(cannot("write", path))
}

/// Keeps a content beside a file, under a name that is free (`config.bak`, `config.bak-2`).
pub(crate) fn keep_copy(path: &Path, mode: u32, content: &[u8]) -> Result<PathBuf, PrivateError> {
    let mut number = 1;
    loop {
        let mut copy = path.as_os_str().to_owned();
        copy.push(".bak");
        if number > 1 {
            copy.push(format!("-{number}"));
        }
        let copy = PathBuf::from(copy);
        match create_file(&copy, mode, content) {
            Ok(()) => return Ok(copy),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => {
                number += 1;
            }
            Err(error) => return Err(cannot("write", &copy)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn staged(target: &Path, id: &str) -> Staging {
        Staging::create(target, id, SystemTime::now()).unwrap()
    }

    fn path(name: &str) -> Vec<String> {
        name.split('/').map(str::to_owned).collect()
    }

    #[test]
    fn a_directory_is_replaced_as_a_whole() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("a/bundle/admin");
        let first = staged(&target, "1");
        first.add(&path("old.pem"), b"old").unwrap();
        first.swap().unwrap();

        let second = staged(&target, "2");
        second.add(&path("tls/docker/key.pem"), b"new").unwrap();
        second.swap().unwrap();

        assert_eq!(names(&target), ["tls"]);
        assert_eq!(names(target.parent().unwrap()), ["admin"]);
        for directory in [
            "a",
            "a/bundle",
            "a/bundle/admin",
            "a/bundle/admin/tls/docker",
        ] {
            assert_eq!(mode(&home.path().join(directory)), 0o700, "{directory}");
        }
        assert_eq!(mode(&target.join("tls/docker/key.pem")), 0o600);
    }

    #[test]
    fn what_does_not_get_to_its_place_leaves_the_old_one() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("admin");
        let first = staged(&target, "1");
        first.add(&path("old.pem"), b"old").unwrap();
        first.swap().unwrap();

        let second = staged(&target, "2");
        second.add(&path("x"), b"new").unwrap();
        let failed = second.add(&path("x/y"), b"below a file");
        drop(second);

        assert!(failed.is_err());
        assert_eq!(names(home.path()), ["admin"]);
        assert_eq!(names(&target), ["old.pem"]);
    }

    #[test]
    fn a_link_or_a_file_in_the_way_is_replaced_and_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let elsewhere = home.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        std::fs::write(elsewhere.join("mine"), "x").unwrap();
        for (name, is_link) in [("link", true), ("file", false)] {
            let target = home.path().join(name);
            if is_link {
                std::os::unix::fs::symlink(&elsewhere, &target).unwrap();
            } else {
                std::fs::write(&target, "x").unwrap();
            }

            let staging = staged(&target, "1");
            staging.add(&path("new"), b"new").unwrap();
            staging.swap().unwrap();

            assert_eq!(names(&target), ["new"]);
        }
        assert_eq!(names(&elsewhere), ["mine"]);
        assert_eq!(names(home.path()), ["elsewhere", "file", "link"]);
    }

    #[test]
    fn a_file_system_without_exchange_does_it_in_steps() {
        let home = tempfile::tempdir().unwrap();
        let (new, old) = (home.path().join("new"), home.path().join("old"));
        for directory in [&new, &old] {
            std::fs::create_dir(directory).unwrap();
        }
        std::fs::write(new.join("new.pem"), "x").unwrap();

        exchange_in_steps(&new, &old).unwrap();

        assert_eq!(names(home.path()), ["old"]);
        assert_eq!(names(&old), ["new.pem"]);
        assert!(exchange_in_steps(&new, &old).is_err());
        assert_eq!(names(&old), ["new.pem"]);
    }

    #[test]
    fn what_a_killed_run_has_left_goes_after_an_hour() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("admin");
        for left in [".admin.new-dead", ".other.new-dead"] {
            std::fs::create_dir(home.path().join(left)).unwrap();
        }

        drop(staged(&target, "1"));
        assert_eq!(names(home.path()).len(), 2);
        let later = SystemTime::now() + LEFT + Duration::from_secs(60);
        drop(Staging::create(&target, "2", later).unwrap());

        assert_eq!(names(home.path()), [".other.new-dead"]);
    }

    #[test]
    fn a_file_is_replaced_only_while_it_is_what_it_was() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(".kube/config");

        assert!(replace_file(&file, "1", PRIVATE, None, b"one").unwrap());
        assert!(!replace_file(&file, "1", PRIVATE, None, b"two").unwrap());
        assert!(!replace_file(&file, "1", PRIVATE, Some(b"other"), b"two").unwrap());
        assert!(replace_file(&file, "1", PRIVATE, Some(b"one"), b"three").unwrap());

        assert_eq!(std::fs::read(&file).unwrap(), b"three");
        assert_eq!(names(file.parent().unwrap()), ["config"]);
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    }

    #[test]
    fn links_are_followed_to_their_file() {
        let home = tempfile::tempdir().unwrap();
        let link = home.path().join("link");
        std::os::unix::fs::symlink("dotfiles/config", &link).unwrap();
        let circle = home.path().join("circle");
        std::os::unix::fs::symlink("circle", &circle).unwrap();

        assert_eq!(
            followed(&link).unwrap(),
            home.path().join("dotfiles/config")
        );
        assert_eq!(followed(home.path()).unwrap(), home.path());
        assert!(followed(&circle).is_err());
    }

    #[test]
    fn copies_never_overwrite_each_other() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("config");

        let first = keep_copy(&file, PRIVATE, b"1").unwrap();
        let second = keep_copy(&file, PRIVATE, b"2").unwrap();

        assert_eq!(first, home.path().join("config.bak"));
        assert_eq!(second, home.path().join("config.bak-2"));
        assert_eq!(
            (std::fs::read(first).unwrap(), mode(&second)),
            (b"1".to_vec(), 0o600)
        );
    }
}
