//! The private directory of the sockets, and a small shell that tidies up where we cannot.
//!
//! A master outlives whoever started it, unless somebody ends it. A program that is killed ends
//! nobody: so a shell waits until the pipe that leads to it is closed, and then ends the masters
//! that are left.

use std::fs::{DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The longest path of a directory that sockets fit into: a socket's name has 104 bytes where it
/// has least, and `ssh` appends 17 to it for a moment.
const LONGEST_PATH: usize = 104 - 17 - 12;

/// Takes `+ PID` and `- PID`; at the end of its input it ends what is left.
const KEEPER: &str = r#"trap '' HUP INT TERM
while read -r word id; do
    case $word in
        +) left="$left $id" ;;
        -)
            kept=
            for one in $left; do
                [ "$one" = "$id" ] || kept="$kept $one"
            done
            left=$kept
            ;;
    esac
done
[ -z "$left" ] || kill $left 2>/dev/null
rm -rf -- "$1"
"#;

/// A directory that only we may look into; removed with the last that is in it.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    next: AtomicU64,
    keeper: Mutex<File>,
}

impl Directory {
    /// Makes a directory in the first place that takes one.
    pub(super) fn create(places: &[PathBuf]) -> io::Result<Self> {
        let mut last = io::Error::other("there is no place with a name that is short enough");
        for place in places {
            let path = place.join(format!("launchpad-{:08x}", rand::random::<u32>()));
            if path.as_os_str().as_bytes().len() > LONGEST_PATH {
                continue;
            }
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let keeper = start_keeper(&path).inspect_err(|_| {
                        // It is empty, and the error that is told is the other one.
                        let _ = std::fs::remove_dir(&path);
                    })?;
                    return Ok(Self {
                        path,
                        next: AtomicU64::new(1),
                        keeper: Mutex::new(keeper),
                    });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Returns paths that nobody has been given before: of a socket, and of a log.
    pub(super) fn next_paths(&self) -> (PathBuf, PathBuf) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let socket = self.path.join(number.to_string());
        (socket, self.path.join(format!("{number}.log")))
    }

    /// Returns the path of the directory.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Has a process ended where we cannot do it ourselves.
    pub(super) fn keep(&self, process: u32) {
        self.tell('+', process);
    }

    /// Takes that back: the process is gone.
    pub(super) fn forget(&self, process: u32) {
        self.tell('-', process);
    }

    fn tell(&self, word: char, process: u32) {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        // Where nobody listens any more, there is nobody else to tell.
        let _ = keeper.write_all(format!("{word} {process}\n").as_bytes());
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What is left is the keeper's to remove.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn start_keeper(path: &Path) -> io::Result<File> {
    let mut child = tokio::process::Command::new("/bin/sh")
        .args(["-c", KEEPER, "launchpad-keeper"])
        .arg(path)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C on the terminal is for us.
        .process_group(0)
        .spawn()?;
    let stdin = child
        .stdin
        .take()
        .map(tokio::process::ChildStdin::into_owned_fd);
    stdin
        .ok_or_else(|| io::Error::other("a stream is missing"))?
        .map(File::from)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use super::*;

    fn sleeper() -> tokio::process::Child {
        tokio::process::Command::new("sleep")
            .arg("1000")
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    #[tokio::test]
    async fn what_is_left_when_we_are_gone_is_ended_and_what_was_forgotten_is_not() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::create(&[place.path().to_owned()]).unwrap();
        let (mut left, mut forgotten) = (sleeper(), sleeper());
        for child in [&left, &forgotten] {
            directory.keep(child.id().unwrap());
        }
        directory.forget(forgotten.id().unwrap());
        let mode = directory.path().metadata().unwrap().permissions().mode();
        let path = directory.path().to_owned();

        drop(directory);

        let ended = tokio::time::timeout(Duration::from_secs(20), left.wait()).await;
        assert!(!ended.unwrap().unwrap().success());
        assert!(forgotten.try_wait().unwrap().is_none());
        assert_eq!(mode & 0o777, 0o700);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_place_whose_name_is_too_long_for_sockets_is_passed_over() {
        let place = tempfile::tempdir().unwrap();
        let long = place.path().join("x".repeat(80));
        std::fs::create_dir(&long).unwrap();
        let missing = place.path().join("missing");

        let places = [long.clone(), missing, place.path().to_owned()];
        let directory = Directory::create(&places).unwrap();

        assert_eq!(directory.path().parent(), Some(place.path()));
        assert!(Directory::create(&[long]).is_err());
    }
}
