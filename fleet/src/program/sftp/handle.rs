//! Files and directories that a client of `sftp-server` has open.

use std::time::Duration;

use bytes::Bytes;
use russh_sftp::protocol::OpenFlags;

use crate::files::{Content, Credentials, Errno, Files, Follow, Kind, Stat};
use crate::host::Host;
use crate::world::{Fleet, HostId};

/// How much is kept before it is put behind what the file holds: each time the file is copied.
const KEPT: usize = 4 << 20;
/// How long a file may get.
const LONGEST: u64 = 4 << 30;

/// A directory that is read.
pub(super) struct Directory {
    /// Where it is.
    pub(super) path: String,
    names: Vec<String>,
    at: usize,
}

impl Directory {
    /// Makes one at its start.
    pub(super) fn new(path: &str, names: Vec<String>) -> Self {
        let own = [".", ".."].map(str::to_owned).into_iter();
        Self {
            path: path.to_owned(),
            names: own.chain(names).collect(),
            at: 0,
        }
    }

    /// Returns the next names.
    pub(super) fn next(&mut self, most: usize) -> Vec<String> {
        let end = (self.at + most).min(self.names.len());
        let names = self.names[self.at..end].to_vec();
        self.at = end;
        names
    }
}

/// What is asked for.
pub(super) struct Wish<'a> {
    /// The file.
    pub(super) path: &'a str,
    /// How it is opened.
    pub(super) flags: OpenFlags,
    /// The mode that it gets where it is made.
    pub(super) mode: u32,
    /// The time of the host.
    pub(super) now: Duration,
    /// The time since the start of the fleet.
    pub(super) elapsed: Duration,
}

/// A file that is open.
pub(super) struct OpenFile {
    /// Where it is, without links.
    pub(super) path: String,
    inode: u64,
    flags: OpenFlags,
    /// What it held when it was opened, where it is only read.
    content: Option<Content>,
    /// What was written behind its end, and is not there yet; with where it starts.
    kept: Option<(u64, Vec<u8>)>,
}

impl OpenFile {
    /// Opens a file as `open(2)` does.
    ///
    /// # Errors
    ///
    /// Fails as that does.
    pub(super) fn open(host: &mut Host, wish: &Wish<'_>, who: &Credentials) -> Result<Self, Errno> {
        let (path, flags, mode, now) = (wish.path, wish.flags, wish.mode, wish.now);
        let files = &mut host.files;
        let writes = flags.contains(OpenFlags::WRITE) || flags.contains(OpenFlags::APPEND);
        match files.node(path, Follow::Yes, who) {
            Ok(_) if flags.contains(OpenFlags::CREATE | OpenFlags::EXCLUDE) => {
                return Err(Errno::Exists);
            }
            Ok(node) => {
                let reads = flags.contains(OpenFlags::READ) || !writes;
                if reads && !node.allows(who, 4) || writes && !node.allows(who, 2) {
                    return Err(Errno::Access);
                }
                match &node.kind {
                    Kind::Directory(_) => return Err(Errno::IsDirectory),
                    Kind::File(_) => {}
                    // Devices have no place in the tree that could be read or written at.
                    _ => return Err(Errno::NoDevice),
                }
                if writes && flags.contains(OpenFlags::TRUNCATE) {
                    files.write(path, Vec::new(), mode, who, now)?;
                }
            }
            Err(Errno::NotFound) if flags.contains(OpenFlags::CREATE) => {
                files.write(path, Vec::new(), mode, who, now)?;
            }
            Err(other) => return Err(other),
        }
        let path = files.resolve(path, Follow::Yes, who)?;
        let inode = files.stat(&path, Follow::No, who)?.inode;
        let content = match writes {
            true => None,
            false => Some(crate::open::content_now(host, &path, wish.elapsed)?),
        };
        Ok(Self {
            path,
            inode,
            flags,
            content,
            kept: None,
        })
    }

    /// Reads from a place.
    ///
    /// # Errors
    ///
    /// Fails where it was not opened for that, or is gone.
    pub(super) fn read(
        &self,
        fleet: &Fleet,
        host: HostId,
        offset: u64,
        length: u32,
    ) -> Result<Bytes, Errno> {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(256 << 10);
        if let Some(content) = &self.content {
            return Ok(content.slice(offset, length));
        }
        if !self.flags.contains(OpenFlags::READ) {
            return Err(Errno::Access);
        }
        fleet.host(host, |host| {
            let content = host.files.read(&self.path, &Credentials::root())?;
            Ok(content.slice(offset, length))
        })
    }

    /// Writes at a place.
    ///
    /// # Errors
    ///
    /// Fails where it was not opened for that, or the file system refuses.
    pub(super) fn write(
        &mut self,
        fleet: &Fleet,
        host: HostId,
        offset: u64,
        data: &[u8],
    ) -> Result<(), Errno> {
        if self.content.is_some() {
            return Err(Errno::Access);
        }
        if let Some((start, kept)) = &mut self.kept
            && *start + kept.len() as u64 == offset
        {
            kept.extend_from_slice(data);
            if kept.len() >= KEPT {
                return self.settle(fleet, host);
            }
            return Ok(());
        }
        self.settle(fleet, host)?;
        let Some(stat) = self.stat(fleet, host) else {
            // It was removed or replaced: nobody sees what is written.
            return Ok(());
        };
        let offset = match self.flags.contains(OpenFlags::APPEND) {
            true => stat.size,
            false => offset,
        };
        if offset == stat.size {
            self.kept = Some((offset, data.to_vec()));
            return Ok(());
        }
        self.put(fleet, host, offset, data)
    }

    /// Lets everybody see what was written.
    ///
    /// # Errors
    ///
    /// Fails where the file system refuses.
    pub(super) fn settle(&mut self, fleet: &Fleet, host: HostId) -> Result<(), Errno> {
        let Some((offset, data)) = self.kept.take() else {
            return Ok(());
        };
        let Some(stat) = self.stat(fleet, host) else {
            return Ok(());
        };
        if stat.size != offset {
            return self.put(fleet, host, offset, &data);
        }
        let now = fleet.time_of(host);
        let root = Credentials::root();
        fleet.host(host, |host| {
            host.files.append(&self.path, &data, 0o644, &root, now)
        })
    }

    /// Returns the file, where it is still the one that was opened.
    fn stat(&self, fleet: &Fleet, host: HostId) -> Option<Stat> {
        let root = Credentials::root();
        let stat = fleet.host(host, |host| host.files.stat(&self.path, Follow::No, &root));
        stat.ok().filter(|stat| stat.inode == self.inode)
    }

    /// Writes in the middle of a file, or beyond its end.
    fn put(&self, fleet: &Fleet, host: HostId, offset: u64, data: &[u8]) -> Result<(), Errno> {
        let now = fleet.time_of(host);
        let root = Credentials::root();
        let end = offset
            .checked_add(data.len() as u64)
            .ok_or(Errno::NoSpace)?;
        if end > LONGEST {
            return Err(Errno::NoSpace);
        }
        fleet.host(host, |host| {
            let content = host.files.read(&self.path, &root)?;
            let mut all = content.whole().to_vec();
            let (from, to) = (offset as usize, end as usize);
            if all.len() < to {
                all.resize(to, 0);
            }
            all[from..to].copy_from_slice(data);
            host.files.write(&self.path, all, 0o644, &root, now)
        })
    }
}

/// Sets the size of a file.
///
/// # Errors
///
/// Fails as `truncate(2)` does.
pub(super) fn truncate(
    files: &mut Files,
    path: &str,
    size: u64,
    who: &Credentials,
    now: Duration,
) -> Result<(), Errno> {
    let node = files.node(path, Follow::Yes, who)?;
    if !node.allows(who, 2) {
        return Err(Errno::Access);
    }
    let stat = node.stat();
    if stat.size == size {
        return Ok(());
    }
    if size > LONGEST {
        return Err(Errno::NoSpace);
    }
    let mut all = files.read(path, &Credentials::root())?.whole().to_vec();
    all.resize(size as usize, 0);
    files.write(path, all, stat.mode, who, now)
}
