//! The run directory: `~/.mirantis-launchpad/cluster/<name>/runs/<time>-<command>-<run id>/`.
//!
//! It is made anew for every run and nothing in it is ever overwritten. `apply.log` in the
//! directory of the cluster is a link to the log of the newest apply, as scripts expect it.
//! Only the user may read any of it.

use std::fmt::Write as _;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

/// How often a name that is taken is tried with another number behind it.
const TRIES: usize = 100;

/// Why there is no run directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// A name would lead somewhere else.
    #[error("cannot use `{name}` as the name of a directory")]
    UnsafeName {
        /// The name.
        name: String,
    },
    /// A directory cannot be made.
    #[error("cannot create the directory `{}`", path.display())]
    Create {
        /// The directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// Why `apply.log` does not point to this run.
#[derive(Debug, thiserror::Error)]
#[error("cannot link `{}` to the log of this run", path.display())]
pub struct LinkError {
    /// The link.
    pub path: PathBuf,
    /// The cause.
    #[source]
    pub source: io::Error,
}

/// The directory of one run.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    cluster: PathBuf,
    name: String,
    time: String,
    is_apply: bool,
}

impl RunDirectory {
    /// Makes the directory of a run.
    ///
    /// # Errors
    ///
    /// Fails if a name is no plain file name, or if a directory cannot be made.
    pub fn create(
        home: &Path,
        cluster: &str,
        command: &str,
        run_id: &str,
        now: Timestamp,
    ) -> Result<Self, DirectoryError> {
        for name in [cluster, command, run_id] {
            if !is_plain_name(name) {
                let name = name.to_owned();
                return Err(DirectoryError::UnsafeName { name });
            }
        }
        let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let cluster = cluster_directory(home, cluster);
        let runs = cluster.join("runs");
        let failed = |path: &Path, source| {
            let path = path.to_owned();
            DirectoryError::Create { path, source }
        };
        private(DirBuilder::new().recursive(true))
            .create(&runs)
            .map_err(|source| failed(&runs, source))?;
        let name = format!("{time}-{command}-{run_id}");
        let (name, path) = first_free(&name, |name| {
            let path = runs.join(name);
            private(&mut DirBuilder::new()).create(&path).map(|()| path)
        })
        .map_err(|source| failed(&runs.join(&name), source))?;
        Ok(Self {
            path,
            cluster,
            name,
            time,
            is_apply: command == "apply",
        })
    }

    /// Returns whether this is the run of an apply, to which `apply.log` shall point.
    pub fn is_apply(&self) -> bool {
        self.is_apply
    }

    /// Returns the path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of the plain log.
    pub fn log(&self) -> PathBuf {
        self.path.join("launchpad.log")
    }

    /// Returns the path of the events.
    pub fn events(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }

    /// Makes a file in the directory that only the user may read.
    ///
    /// # Errors
    ///
    /// Fails if it exists already, or cannot be made.
    pub fn create_file(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.append(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)
    }

    /// Lets `apply.log` of the cluster point to the log of this run, in one step.
    ///
    /// A log of an older launchpad that has this name is kept as `apply-until-<time>.log`. Where
    /// there are no symbolic links, `apply.log` is a file that holds the path of the log.
    ///
    /// # Errors
    ///
    /// Fails if the link cannot be made; the old one is in place then.
    pub fn link_apply_log(&self) -> Result<(), LinkError> {
        let path = self.cluster.join("apply.log");
        let link = || {
            self.keep_old_log(&path)?;
            let fresh = self.cluster.join(format!(".apply.log.{}", self.name));
            let target = Path::new("runs").join(&self.name).join("launchpad.log");
            self.point(&fresh, &target)?;
            std::fs::rename(&fresh, &path).inspect_err(|_| {
                // What is in the way of the rename is reported; the leftover only goes too.
                let _ = std::fs::remove_file(&fresh);
            })
        };
        link().map_err(|source| LinkError {
            path: path.clone(),
            source,
        })
    }

    #[cfg(unix)]
    fn point(&self, fresh: &Path, target: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(target, fresh).or_else(|error| match error.kind() {
            io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied => {
                self.point_by_text(fresh, target)
            }
            _ => Err(error),
        })
    }

    #[cfg(not(unix))]
    fn point(&self, fresh: &Path, target: &Path) -> io::Result<()> {
        self.point_by_text(fresh, target)
    }

    fn point_by_text(&self, fresh: &Path, target: &Path) -> io::Result<()> {
        let text = format!("{POINTER}{}\n", target.display());
        io::Write::write_all(&mut self.create_file(fresh)?, text.as_bytes())
    }

    fn keep_old_log(&self, path: &Path) -> io::Result<()> {
        let kind = match std::fs::symlink_metadata(path) {
            Ok(metadata) => metadata.file_type(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if !kind.is_file() || is_pointer(path)? {
            return Ok(());
        }
        let name = format!("apply-until-{}", self.time);
        first_free(&name, |name| {
            std::fs::hard_link(path, self.cluster.join(format!("{name}.log")))
        })
        .map(|_| ())
    }
}

/// Returns the directory of a cluster.
pub fn cluster_directory(home: &Path, cluster: &str) -> PathBuf {
    home.join(".mirantis-launchpad")
        .join("cluster")
        .join(cluster)
}

/// Returns the directory of a user's client bundle.
pub fn bundle_directory(home: &Path, cluster: &str, user: &str) -> PathBuf {
    cluster_directory(home, cluster)
        .join("bundle")
        .join(part_of(user))
}

/// Returns a name as a part of a path: what may lead elsewhere, or is none on some systems, is
/// written as `%` and two digits for each byte, so that no two names become one.
fn part_of(name: &str) -> String {
    let is_fit = |char: char| is_plain(char) || matches!(char, '@' | '+');
    let mut part = String::new();
    for char in name.chars() {
        if is_fit(char) {
            part.push(char);
        } else {
            let mut bytes = [0; 4];
            for byte in char.encode_utf8(&mut bytes).bytes() {
                // Writing to a string cannot fail.
                let _ = write!(part, "%{byte:02X}");
            }
        }
    }
    if is_plain_name(&part.replace(['%', '@', '+'], "_")) {
        return part;
    }
    format!("%{}", part.replace('.', "%2E"))
}

/// Keeps a password in the directory of a cluster, for the user alone; returns the file. One that
/// is there already is not overwritten.
///
/// # Errors
///
/// Fails if the file cannot be made.
pub fn keep_password(home: &Path, cluster: &str, password: &SecretString) -> io::Result<PathBuf> {
    let directory = cluster_directory(home, cluster);
    private(DirBuilder::new().recursive(true)).create(&directory)?;
    let (_, (path, mut file)) = first_free("admin-password", |name| {
        let path = directory.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path).map(|file| (path, file))
    })?;
    writeln!(file, "{}", password.expose_secret())?;
    Ok(path)
}

/// What an `apply.log` that is no link begins with.
const POINTER: &str = "The log of the newest apply is here: ";

fn is_pointer(path: &Path) -> io::Result<bool> {
    use io::Read;
    let mut start = Vec::new();
    let length = u64::try_from(POINTER.len()).unwrap_or(u64::MAX);
    File::open(path)?.take(length).read_to_end(&mut start)?;
    Ok(start == POINTER.as_bytes())
}

fn is_plain(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '-' | '_' | '.' | ' ')
}

fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && name.chars().all(is_plain)
}

fn private(builder: &mut DirBuilder) -> &mut DirBuilder {
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(builder, 0o700);
    builder
}

/// Makes something under the first name that is free: `name`, `name-2`, `name-3`.
fn first_free<T>(name: &str, make: impl Fn(&str) -> io::Result<T>) -> io::Result<(String, T)> {
    let mut tried = name.to_owned();
    let mut number = 1;
    loop {
        match make(&tried) {
            Ok(made) => return Ok((tried, made)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < TRIES => {
                number += 1;
                tried = format!("{name}-{number}");
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_a_user_leads_out_of_the_directory() {
        for (user, part) in [
            ("admin", "admin"),
            ("jane.doe@example.com", "jane.doe@example.com"),
            ("LAB\\jane", "LAB%5Cjane"),
            ("../../x", "..%2F..%2Fx"),
            ("..", "%%2E%2E"),
            (".", "%%2E"),
            ("", "%"),
            ("%2F", "%252F"),
            ("é/ß", "é%2Fß"),
        ] {
            let directory = bundle_directory(Path::new("/home/u"), "toy", user);

            let bundles = Path::new("/home/u/.mirantis-launchpad/cluster/toy/bundle");
            assert_eq!(directory, bundles.join(part), "{user}");
            assert_eq!(directory.parent(), Some(bundles), "{user}");
        }
    }
}
