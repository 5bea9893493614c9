//! The file tree of a host. Trees share what they have in common: a clone costs nothing, and two
//! trees that come from one are compared quickly.
//!
//! Paths are absolute. Whoever acts names the rights it acts with; user 0 may do everything.

mod archive;
mod change;
mod content;
mod errno;
mod link;
mod look;
mod node;

pub use archive::{Archive, BadArchive, Member, MemberKind};
pub use content::{Content, Live};
pub use errno::Errno;
pub use look::Follow;
pub(crate) use node::DEVICES;
pub use node::{Device, Kind, Node, Stat};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The name of an account and the ids that its processes run with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name of the account.
    pub user: String,
    /// The id of the user.
    pub uid: u32,
    /// The id of the first group.
    pub gid: u32,
    /// The ids of all groups.
    pub groups: Vec<u32>,
}

impl Credentials {
    /// Returns the rights of root.
    pub fn root() -> Self {
        Self {
            user: "root".to_owned(),
            uid: 0,
            gid: 0,
            groups: vec![0],
        }
    }
}

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted.
    pub point: String,
    /// The device (`/dev/vda`, `tmpfs`).
    pub device: String,
    /// Its kind (`ext4`, `tmpfs`).
    pub kind: String,
    /// Its options (`rw,relatime`).
    pub options: String,
    /// How many bytes it can hold.
    pub size: u64,
    /// How many bytes are in use.
    pub used: u64,
}

impl Mount {
    /// Returns whether it has an option.
    pub fn has(&self, option: &str) -> bool {
        self.options.split(',').any(|one| one == option)
    }

    /// Returns how many bytes are free.
    pub fn free(&self) -> u64 {
        self.size.saturating_sub(self.used)
    }
}

/// A file tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    root: Arc<Node>,
    mounts: Arc<Vec<Mount>>,
    /// The paths of what has several names, by its number.
    linked: Arc<BTreeMap<u64, Vec<String>>>,
    next_inode: u64,
}

impl Default for Files {
    fn default() -> Self {
        Self::new()
    }
}

impl Files {
    /// Makes a tree with a root directory and one file system of 100 GB.
    pub fn new() -> Self {
        Self {
            root: Arc::new(Node::directory(0o755, 0, 0, Duration::ZERO, 2)),
            mounts: Arc::new(vec![Mount {
                point: "/".to_owned(),
                device: "/dev/vda1".to_owned(),
                kind: "ext4".to_owned(),
                options: "rw,relatime".to_owned(),
                size: 100 << 30,
                used: 0,
            }]),
            linked: Arc::default(),
            next_inode: 11,
        }
    }

    /// Counts what is made from now on from a number.
    pub(crate) fn number_from(&mut self, inode: u64) {
        self.next_inode = inode;
    }

    /// Returns the mounted file systems, in the order in which they were mounted.
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// Mounts a file system; what is below the point stays visible.
    pub fn mount(&mut self, mount: Mount) {
        Arc::make_mut(&mut self.mounts).push(mount);
    }

    /// Takes the last file system at a point away; returns whether there was one.
    pub fn unmount(&mut self, point: &str) -> bool {
        let found = self.mounts.iter().rposition(|mount| mount.point == point);
        if let Some(index) = found {
            Arc::make_mut(&mut self.mounts).remove(index);
        }
        found.is_some()
    }

    /// Returns the file system that a path is on.
    pub fn mount_of(&self, path: &str) -> Option<&Mount> {
        self.mount_index(path)
            .and_then(|index| self.mounts.get(index))
    }

    /// Changes the file system that a path is on: its size, its options.
    pub fn change_mount(&mut self, path: &str, change: impl FnOnce(&mut Mount)) {
        if let Some(index) = self.mount_index(path)
            && let Some(mount) = Arc::make_mut(&mut self.mounts).get_mut(index)
        {
            change(mount);
        }
    }

    fn mount_index(&self, path: &str) -> Option<usize> {
        let covers = |point: &str| {
            point == "/"
                || path
                    .strip_prefix(point)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let found = self.mounts.iter().enumerate();
        found
            .filter(|(_, mount)| covers(&mount.point))
            .max_by_key(|(index, mount)| (mount.point.len(), *index))
            .map(|(index, _)| index)
    }
}

/// Returns the path without `.`, `..` and doubled slashes, symbolic links left alone.
pub fn normalise(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Returns the directory and the last part of a normalised path.
pub fn split(path: &str) -> (&str, &str) {
    match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some((directory, name)) => (directory, name),
        None => ("/", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lab() -> Credentials {
        Credentials {
            user: "lab".into(),
            uid: 1000,
            gid: 1000,
            groups: vec![1000, 27],
        }
    }

    fn tree() -> Files {
        let mut files = Files::new();
        let root = Credentials::root();
        for path in ["/etc", "/home", "/home/lab", "/var/lib", "/tmp"] {
            files.make_dirs(path, 0o755, &root, Duration::ZERO).unwrap();
        }
        files.set_mode("/tmp", 0o1777, &root).unwrap();
        files
            .set_owner("/home/lab", Some(1000), Some(1000), Follow::Yes, &root)
            .unwrap();
        files
    }

    #[test]
    fn a_clone_does_not_see_later_writes() {
        let mut files = tree();
        let before = files.clone();

        files
            .write("/etc/a", "x", 0o644, &Credentials::root(), Duration::ZERO)
            .unwrap();

        assert_eq!(before.read("/etc/a", &lab()), Err(Errno::NotFound));
        assert_ne!(before, files);
        files
            .remove_file("/etc/a", &Credentials::root(), Duration::ZERO)
            .unwrap();
        assert_eq!(
            files.mount_of("/").unwrap().used,
            before.mount_of("/").unwrap().used
        );
    }

    #[test]
    fn rights_are_checked() {
        let mut files = tree();
        files
            .write(
                "/etc/shadow",
                "x",
                0o600,
                &Credentials::root(),
                Duration::ZERO,
            )
            .unwrap();

        assert_eq!(files.read("/etc/shadow", &lab()), Err(Errno::Access));
        let refused = files.write("/etc/a", "x", 0o644, &lab(), Duration::ZERO);
        assert_eq!(refused, Err(Errno::Access));
        files
            .write(
                "/tmp/root",
                "x",
                0o666,
                &Credentials::root(),
                Duration::ZERO,
            )
            .unwrap();
        let refused = files.remove_file("/tmp/root", &lab(), Duration::ZERO);
        assert_eq!(refused, Err(Errno::NotPermitted));
    }

    #[test]
    fn links_are_followed_and_loops_end() {
        let mut files = tree();
        let root = Credentials::root();
        files
            .link_symbolic("../lib", "/var/link", &root, Duration::ZERO)
            .unwrap();
        files
            .link_symbolic("/loop", "/loop", &root, Duration::ZERO)
            .unwrap();
        files
            .link_symbolic("lib", "/var/short", &root, Duration::ZERO)
            .unwrap();

        assert_eq!(
            files.resolve("/var/link", Follow::Yes, &root),
            Ok("/lib".into())
        );
        assert_eq!(
            files.resolve("/var/short/x", Follow::Yes, &root),
            Ok("/var/lib/x".into())
        );
        assert_eq!(
            files.stat("/loop", Follow::Yes, &root).unwrap_err(),
            Errno::Loop
        );
        assert!(files.stat("/loop", Follow::No, &root).is_ok());
    }

    #[test]
    fn a_file_may_have_several_names() {
        let mut files = tree();
        let (root, now) = (Credentials::root(), Duration::ZERO);
        files.write("/etc/a", "x", 0o644, &root, now).unwrap();
        files
            .link_hard("/etc/a", "/home/lab/b", &root, now)
            .unwrap();
        let used = files.mount_of("/").unwrap().used;
        let seen = |files: &Files, path: &str| {
            let stat = files.stat(path, Follow::No, &root).unwrap();
            (stat.inode, stat.links, stat.mode)
        };
        let inode = seen(&files, "/etc/a").0;

        files.write("/home/lab/b", "yy", 0o644, &root, now).unwrap();
        files.set_mode("/etc/a", 0o600, &root).unwrap();
        files.rename("/home/lab", "/home/new", &root, now).unwrap();
        files
            .append("/home/new/b", b"z", 0o644, &root, now)
            .unwrap();

        assert_eq!(files.read("/etc/a", &root).unwrap().text(), "yyz");
        assert_eq!(seen(&files, "/home/new/b"), (inode, 2, 0o600));
        assert_eq!(
            files.link_hard("/etc", "/home/etc", &root, now),
            Err(Errno::NotPermitted)
        );
        files.remove_tree("/home/new", &root, now).unwrap();
        assert_eq!(seen(&files, "/etc/a"), (inode, 1, 0o600));
        assert_eq!(files.mount_of("/").unwrap().used, used - 4096);
    }

    #[test]
    fn a_full_disk_refuses() {
        let mut files = tree();
        files.change_mount("/", |mount| mount.size = mount.used + 4096);
        let root = Credentials::root();

        files
            .write("/etc/a", "x", 0o644, &root, Duration::ZERO)
            .unwrap();

        let refused = files.write("/etc/b", "x", 0o644, &root, Duration::ZERO);
        assert_eq!(refused, Err(Errno::NoSpace));
    }

    #[test]
    fn renames_replace_and_move_trees() {
        let mut files = tree();
        let root = Credentials::root();
        files
            .write("/home/lab/a", "x", 0o644, &root, Duration::ZERO)
            .unwrap();
        files
            .write("/etc/b", "y", 0o644, &root, Duration::ZERO)
            .unwrap();

        files
            .rename("/home/lab/a", "/etc/b", &root, Duration::ZERO)
            .unwrap();
        files
            .rename("/home/lab", "/home/new", &root, Duration::ZERO)
            .unwrap();

        assert_eq!(files.read("/etc/b", &root).unwrap().text(), "x");
        assert_eq!(files.list("/home", &root).unwrap(), ["new"]);
        let refused = files.rename("/home", "/home/new/in", &root, Duration::ZERO);
        assert_eq!(refused, Err(Errno::Invalid));
    }
}
