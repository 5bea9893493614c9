//! Changing: every change checks rights, room, and whether the file system may be written to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::node::{SEARCH, WRITE};
use super::{Content, Credentials, Device, Errno, Files, Follow, Kind, Node};

type Children = BTreeMap<Arc<str>, Arc<Node>>;

impl Files {
    /// Writes a file: makes it with `mode` where it is not there, else replaces what is in it.
    ///
    /// # Errors
    ///
    /// Fails where its directory is not there, rights are missing, or the disk is full.
    pub fn write(
        &mut self,
        path: &str,
        content: impl Into<Content>,
        mode: u32,
        who: &Credentials,
        now: Duration,
    ) -> Result<(), Errno> {
        self.put(path, content.into(), mode, who, now)
    }

    /// Adds bytes to the end of a file; makes it where it is not there.
    ///
    /// # Errors
    ///
    /// Fails as [`Files::write`].
    pub fn append(
        &mut self,
        path: &str,
        bytes: &[u8],
        mode: u32,
        who: &Credentials,
        now: Duration,
    ) -> Result<(), Errno> {
        let found = self.find(path, Follow::Yes, who)?;
        let content = match found.node.map(|node| &node.kind) {
            Some(Kind::File(Content::Bytes(old))) => {
                let mut all = Vec::with_capacity(old.len() + bytes.len());
                all.extend_from_slice(old);
                all.extend_from_slice(bytes);
                Content::from(all)
            }
            Some(Kind::File(old @ Content::Archive(_))) => {
                Content::from([&old.whole(), bytes].concat())
            }
            Some(Kind::File(Content::Large { size, seed })) => Content::Large {
                size: size + bytes.len() as u64,
                seed: *seed,
            },
            _ => Content::from(bytes.to_vec()),
        };
        self.put(path, content, mode, who, now)
    }

    fn put(
        &mut self,
        path: &str,
        content: Content,
        mode: u32,
        who: &Credentials,
        now: Duration,
    ) -> Result<(), Errno> {
        let found = self.find(path, Follow::Yes, who)?;
        let full = found.path();
        match found.node {
            Some(node) => {
                match &node.kind {
                    Kind::File(_) => {}
                    Kind::Directory(_) => return Err(Errno::IsDirectory),
                    Kind::Device(Device::Full) => return Err(Errno::NoSpace),
                    Kind::Device(_) => return Ok(()),
                    Kind::Socket | Kind::Fifo | Kind::Link(_) => return Err(Errno::NoDevice),
                }
                if !node.allows(who, WRITE) {
                    return Err(Errno::Access);
                }
                let before = node.blocks();
                self.may_write(&full)?;
                self.account(&full, before, content.size().div_ceil(4096) * 4096)?;
                let node = self.node_mut(&full)?;
                node.kind = Kind::File(content);
                node.modified = now;
                self.spread(&full)
            }
            None if found.wants_directory => Err(Errno::IsDirectory),
            None => self.add(&full, Kind::File(content), mode, who, now),
        }
    }

    /// Adds a node that is not there yet.
    fn add(
        &mut self,
        full: &str,
        kind: Kind,
        mode: u32,
        who: &Credentials,
        now: Duration,
    ) -> Result<(), Errno> {
        let (directory, name) = super::split(full);
        self.may_change_names(directory, who)?;
        let node = Node {
            mode: mode & 0o7777,
            uid: who.uid,
            gid: who.gid,
            modified: now,
            inode: self.next_inode,
            names: 1,
            kind,
        };
        self.account(full, 0, node.blocks())?;
        self.next_inode += 1;
        let parent = self.node_mut(directory)?;
        parent.modified = now;
        children_of(parent)?.insert(Arc::from(name), Arc::new(node));
        Ok(())
    }

    /// Makes a directory.
    ///
    /// # Errors
    ///
    /// Fails where something is there already, and as [`Files::write`].
    pub fn make_dir(
        &mut self,
        path: &str,
        mode: u32,
        who: &Credentials,
        now: Duration,
    ) -> Result<(), Errno> {
        let trimmed = path.trim_end_matches('/');
        let path = if trimmed.is_empty() { "/" } else { trimmed };
        self.make_node(path, Kind::Directory(BTreeMap::new()), mode, who, now)
    }

    /// Makes a directory and all that lead to it, as far as they are not there.
    ///
    /// # Errors
    ///
    /// Fails where something else than a directory is in the way, and as [`Files::write`].
    pub fn make_dirs(
        &mut self,
        path: &str,
        mode: u32,
        who: &Credentials,
        now: Duration,
    ) -> Result<(), Errno> {
        let path = super::normalise(path);
        let ends = path.match_indices('/').map(|(at, _)| at).skip(1);
        for end in ends.chain([path.len()]) {
            let part = &path[..end];
            match self.node(part, Follow::Yes, who) {
                Ok(node) if matches!(node.kind, Kind::Directory(_)) => {}
                Ok(_) if end == path.len() => return Err(Errno::Exists),
                Ok(_) => return Err(Errno::NotDirectory),
                Err(Errno::NotFound) => self.make_dir(part, mode, who, now)?,
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    /// Makes a symbolic link.
    ///
    /// # Errors
    ///
    /// Fails where something is there already, and as [`Files::write`].
    pub fn link_symbolic(
        &mut self,
        target: &str,
        path: &str,
        who: &Credentials,
        now: Duration,
    ) -> Result<(), Errno> {
        self.make_node(path, Kind::Link(Arc::from(target)), 0o777, who, now)
    }

    /// Makes a node of any kind: a socket, a device, a program.
    ///
    /// # Errors
    ///
    /// Fails where something is there already, and as [`Files::write`].
    pub fn make_node(
        &mut self,
        path: &str,
        kind: Kind,
        mode: u32,
        who: &Credentials,
        now: Duration,
    ) -> Result<(), Errno> {
        let found = self.find(path, Follow::No, who)?;
        let full = found.path();
        if found.node.is_some() {
            return Err(Errno::Exists);
        }
        self.add(&full, kind, mode, who, now)
    }

    /// Removes what is no directory.
    ///
    /// # Errors
    ///
    /// Fails where it is not there, is a directory, or rights are missing.
    pub fn remove_file(
        &mut self,
        path: &str,
        who: &Credentials,
        now: Duration,
    ) -> Result<(), Errno> {
        let found = self.find(path, Follow::No, who)?;
        let full = found.path();
        match found.node.map(|node| &node.kind) {
            None => Err(Errno::NotFound),
            Some(Kind::Directory(_)) => Err(Errno::IsDirectory),
            Some(_) => self.take(&full, who, now).map(drop),
        }
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    ///
    /// Fails where it is not there, is not empty, or rights are missing.
    pub fn remove_dir(
        &mut self,
        path: &str,
        who: &Credentials,
        now: Duration,
    ) -> Result<(), Errno> {
        let found = self.find(path, Follow::No, who)?;
        let full = found.path();
        match found.node.map(|node| &node.kind) {
            None => Err(Errno::NotFound),
            Some(Kind::Directory(children)) if children.is_empty() => {
                self.take(&full, who, now).map(drop)
            }
            Some(Kind::Directory(_)) => {
                self.may_change_names(super::split(&full).0, who)?;
                Err(Errno::NotEmpty)
            }
            Some(_) => Err(Errno::NotDirectory),
        }
    }

    /// Removes whatever is at a path, and all below.
    ///
    /// # Errors
    ///
    /// Fails where it is not there, or rights are missing at its top.
    pub fn remove_tree(
        &mut self,
        path: &str,
        who: &Credentials,
        now: Duration,
    ) -> Result<(), Errno> {
        let found = self.find(path, Follow::No, who)?;
        let full = found.path();
        if found.node.is_none() {
            return Err(Errno::NotFound);
        }
        let inside = format!("{full}/");
        let is_mounted = |mount: &super::Mount| mount.point.starts_with(&inside);
        if self.mounts.iter().any(is_mounted) {
            return Err(Errno::Busy);
        }
        self.take(&full, who, now).map(drop)
    }

    /// Moves a node, over what is there already as `rename(2)` does.
    ///
    /// # Errors
    ///
    /// Fails where the two do not fit, and as [`Files::write`].
    pub fn rename(
        &mut self,
        from: &str,
        to: &str,
        who: &Credentials,
        now: Duration,
    ) -> Result<(), Errno> {
        let source = self.find(from, Follow::No, who)?;
        let full_from = source.path();
        let Some(node) = source.node else {
            return Err(Errno::NotFound);
        };
        let target = self.find(to.trim_end_matches('/'), Follow::No, who)?;
        let full_to = target.path();
        if full_from == full_to {
            return Ok(());
        }
        if full_to.starts_with(&format!("{full_from}/")) {
            return Err(Errno::Invalid);
        }
        if self.mount_index(&full_from) != self.mount_index(&full_to)
            && !self.mounts.iter().any(|mount| mount.point == full_to)
        {
            return Err(Errno::CrossDevice);
        }
        match (&node.kind, target.node.map(|node| &node.kind)) {
            (_, None) => {}
            (Kind::Directory(_), Some(Kind::Directory(children))) if children.is_empty() => {}
            (Kind::Directory(_), Some(Kind::Directory(_))) => return Err(Errno::NotEmpty),
            (Kind::Directory(_), Some(_)) => return Err(Errno::NotDirectory),
            (_, Some(Kind::Directory(_))) => return Err(Errno::IsDirectory),
            (_, Some(_)) => {}
        }
        let replaces = target.node.is_some();
        let (directory, name) = super::split(&full_to);
        self.may_change_names(directory, who)?;
        if replaces {
            self.take(&full_to, who, now)?;
        }
        let node = self.detach(&full_from, who, now)?;
        self.account(&full_to, 0, node.blocks())?;
        self.move_names(&full_from, &full_to);
        let parent = self.node_mut(directory)?;
        parent.modified = now;
        children_of(parent)?.insert(Arc::from(name), node);
        Ok(())
    }

    /// Sets the mode.
    ///
    /// # Errors
    ///
    /// Fails where it is not there, or belongs to somebody else.
    pub fn set_mode(&mut self, path: &str, mode: u32, who: &Credentials) -> Result<(), Errno> {
        let full = self.owned(path, Follow::Yes, who)?;
        self.node_mut(&full)?.mode = mode & 0o7777;
        self.spread(&full)
    }

    /// Sets owner and group, those that are given.
    ///
    /// # Errors
    ///
    /// Fails for everybody but root, other than for a group that the owner is in.
    pub fn set_owner(
        &mut self,
        path: &str,
        uid: Option<u32>,
        gid: Option<u32>,
        follow: Follow,
        who: &Credentials,
    ) -> Result<(), Errno> {
        let full = self.owned(path, follow, who)?;
        let is_mine = uid.is_none_or(|uid| uid == who.uid)
            && gid.is_none_or(|gid| who.gid == gid || who.groups.contains(&gid));
        if who.uid != 0 && !is_mine {
            return Err(Errno::NotPermitted);
        }
        let node = self.node_mut(&full)?;
        node.uid = uid.unwrap_or(node.uid);
        node.gid = gid.unwrap_or(node.gid);
        self.spread(&full)
    }

    /// Sets the time of the last change.
    ///
    /// # Errors
    ///
    /// Fails where it is not there, or may not be written.
    pub fn set_modified(
        &mut self,
        path: &str,
        modified: Duration,
        who: &Credentials,
    ) -> Result<(), Errno> {
        let found = self.find(path, Follow::Yes, who)?;
        let full = found.path();
        let node = found.node.ok_or(Errno::NotFound)?;
        if node.uid != who.uid && !node.allows(who, WRITE) {
            return Err(Errno::Access);
        }
        self.may_write(&full)?;
        self.node_mut(&full)?.modified = modified;
        self.spread(&full)
    }

    /// Returns the path of what somebody owns.
    fn owned(&self, path: &str, follow: Follow, who: &Credentials) -> Result<String, Errno> {
        let found = self.find(path, follow, who)?;
        let node = found.node.ok_or(Errno::NotFound)?;
        if who.uid != 0 && who.uid != node.uid {
            return Err(Errno::NotPermitted);
        }
        let full = found.path();
        self.may_write(&full)?;
        Ok(full)
    }

    /// Takes a node out of the tree for good.
    fn take(&mut self, full: &str, who: &Credentials, now: Duration) -> Result<Arc<Node>, Errno> {
        let node = self.detach(full, who, now)?;
        if !self.linked.is_empty() {
            let stays = self.forget_names(full)?;
            self.account(full, 0, stays)?;
        }
        Ok(node)
    }

    /// Takes a node out of the tree.
    fn detach(&mut self, full: &str, who: &Credentials, now: Duration) -> Result<Arc<Node>, Errno> {
        if full == "/" {
            return Err(Errno::Busy);
        }
        let (directory, name) = super::split(full);
        self.may_change_names(directory, who)?;
        if self.mounts.iter().any(|mount| mount.point == full) {
            return Err(Errno::Busy);
        }
        let parent = self.node(directory, Follow::No, &Credentials::root())?;
        let Kind::Directory(children) = &parent.kind else {
            return Err(Errno::NotDirectory);
        };
        let node = children.get(name).ok_or(Errno::NotFound)?;
        let is_sticky = parent.mode & 0o1000 != 0;
        if is_sticky && who.uid != 0 && who.uid != node.uid && who.uid != parent.uid {
            return Err(Errno::NotPermitted);
        }
        let blocks = node.blocks();
        self.account(full, blocks, 0)?;
        let parent = self.node_mut(directory)?;
        parent.modified = now;
        children_of(parent)?.remove(name).ok_or(Errno::NotFound)
    }

    pub(super) fn may_change_names(&self, directory: &str, who: &Credentials) -> Result<(), Errno> {
        let node = self.node(directory, Follow::Yes, who)?;
        if !matches!(node.kind, Kind::Directory(_)) {
            return Err(Errno::NotDirectory);
        }
        if !node.allows(who, WRITE | SEARCH) {
            return Err(Errno::Access);
        }
        self.may_write(directory)
    }

    fn may_write(&self, full: &str) -> Result<(), Errno> {
        match self.mount_of(full) {
            Some(mount) if mount.has("ro") => Err(Errno::ReadOnly),
            _ => Ok(()),
        }
    }

    /// Moves the count of bytes in use from `before` to `after` for one node.
    pub(crate) fn account(&mut self, full: &str, before: u64, after: u64) -> Result<(), Errno> {
        let Some(index) = self.mount_index(full) else {
            return Ok(());
        };
        let Some(mount) = Arc::make_mut(&mut self.mounts).get_mut(index) else {
            return Ok(());
        };
        let used = mount.used.saturating_sub(before) + after;
        if after > before && used > mount.size {
            return Err(Errno::NoSpace);
        }
        mount.used = used;
        Ok(())
    }

    /// Returns a node to change; the path has no links.
    pub(super) fn node_mut(&mut self, full: &str) -> Result<&mut Node, Errno> {
        let mut node = Arc::make_mut(&mut self.root);
        for part in full.split('/').filter(|part| !part.is_empty()) {
            let child = children_of(node)?.get_mut(part).ok_or(Errno::NotFound)?;
            node = Arc::make_mut(child);
        }
        Ok(node)
    }
}

pub(super) fn children_of(node: &mut Node) -> Result<&mut Children, Errno> {
    match &mut node.kind {
        Kind::Directory(children) => Ok(children),
        _ => Err(Errno::NotDirectory),
    }
}
