//! A file, a directory, a link, a device.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Content, Credentials};

/// A device file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// `/dev/null`.
    Null,
    /// `/dev/zero`.
    Zero,
    /// `/dev/full`.
    Full,
    /// `/dev/urandom`, `/dev/random`.
    Random,
    /// `/dev/tty`: nobody has one.
    Terminal,
    /// `/dev/stdin`.
    Stdin,
    /// `/dev/stdout`.
    Stdout,
    /// `/dev/stderr`.
    Stderr,
}

/// The device files that every Linux has.
pub(crate) const DEVICES: [(&str, Device); 9] = [
    ("/dev/null", Device::Null),
    ("/dev/zero", Device::Zero),
    ("/dev/full", Device::Full),
    ("/dev/random", Device::Random),
    ("/dev/urandom", Device::Random),
    ("/dev/tty", Device::Terminal),
    ("/dev/stdin", Device::Stdin),
    ("/dev/stdout", Device::Stdout),
    ("/dev/stderr", Device::Stderr),
];

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory(BTreeMap<Arc<str>, Arc<Node>>),
    /// A regular file.
    File(Content),
    /// A symbolic link.
    Link(Arc<str>),
    /// A socket that somebody listens on.
    Socket,
    /// A named pipe.
    Fifo,
    /// A device.
    Device(Device),
}

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The lower twelve bits of the mode.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// When it was last written, as time since 1970.
    pub modified: Duration,
    /// Its number.
    pub inode: u64,
    /// How many names it has; of a directory, 1.
    pub names: u64,
    /// What it is.
    pub kind: Kind,
}

/// What `stat(2)` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// The lower twelve bits of the mode.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// When it was last written, as time since 1970.
    pub modified: Duration,
    /// Its number.
    pub inode: u64,
    /// Its length in bytes.
    pub size: u64,
    /// `d`, `-`, `l`, `s`, `p`, `c`: as `ls -l` has it.
    pub letter: char,
    /// The target of a symbolic link.
    pub target: Option<Arc<str>>,
    /// How many names it has; for a directory, two and one for each directory in it.
    pub links: u64,
}

impl Stat {
    /// Returns whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.letter == 'd'
    }

    /// Returns whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.letter == '-'
    }
}

/// What somebody wants to do with a node: bits as in a mode.
pub(super) const READ: u32 = 4;
pub(super) const WRITE: u32 = 2;
pub(super) const SEARCH: u32 = 1;

impl Node {
    /// Makes an empty directory.
    pub fn directory(mode: u32, uid: u32, gid: u32, modified: Duration, inode: u64) -> Self {
        Self {
            mode,
            uid,
            gid,
            modified,
            inode,
            names: 1,
            kind: Kind::Directory(BTreeMap::new()),
        }
    }

    /// Returns what it tells of itself.
    pub fn stat(&self) -> Stat {
        let (letter, size, target) = match &self.kind {
            Kind::Directory(_) => ('d', 4096, None),
            Kind::File(content) => ('-', content.size(), None),
            Kind::Link(target) => ('l', target.len() as u64, Some(Arc::clone(target))),
            Kind::Socket => ('s', 0, None),
            Kind::Fifo => ('p', 0, None),
            Kind::Device(_) => ('c', 0, None),
        };
        let is_directory = |node: &&Arc<Self>| matches!(node.kind, Kind::Directory(_));
        let links = match &self.kind {
            Kind::Directory(children) => 2 + children.values().filter(is_directory).count() as u64,
            _ => self.names,
        };
        Stat {
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            modified: self.modified,
            inode: self.inode,
            size,
            letter,
            target,
            links,
        }
    }

    /// Returns whether somebody may do all of `wanted` (bits as in a mode) with it.
    pub fn allows(&self, who: &Credentials, wanted: u32) -> bool {
        if who.uid == 0 {
            let runs = matches!(self.kind, Kind::Directory(_)) || self.mode & 0o111 != 0;
            return wanted & SEARCH == 0 || runs;
        }
        let shift = if self.uid == who.uid {
            6
        } else if self.gid == who.gid || who.groups.contains(&self.gid) {
            3
        } else {
            0
        };
        (self.mode >> shift) & wanted == wanted
    }

    /// Returns how many bytes it takes on a disk.
    pub(crate) fn blocks(&self) -> u64 {
        match &self.kind {
            Kind::File(content) => content.size().div_ceil(4096) * 4096,
            Kind::Directory(children) => {
                4096 + children.values().map(|node| node.blocks()).sum::<u64>()
            }
            Kind::Link(_) | Kind::Socket | Kind::Fifo | Kind::Device(_) => 0,
        }
    }
}
