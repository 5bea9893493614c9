//! Files with several names: their nodes are shared, and a change is one of all of them.

use std::sync::Arc;
use std::time::Duration;

use super::change::children_of;
use super::{Credentials, Errno, Files, Follow, Kind, Node};

impl Files {
    /// Gives a file another name.
    ///
    /// # Errors
    ///
    /// Fails for a directory, where something is there already, across file systems, and as
    /// [`Files::write`].
    pub fn link_hard(
        &mut self,
        target: &str,
        path: &str,
        who: &Credentials,
        now: Duration,
    ) -> Result<(), Errno> {
        let found = self.find(target, Follow::No, who)?;
        let old = found.path();
        let node = found.node.ok_or(Errno::NotFound)?;
        if matches!(node.kind, Kind::Directory(_)) {
            return Err(Errno::NotPermitted);
        }
        let inode = node.inode;
        let place = self.find(path, Follow::No, who)?;
        if place.node.is_some() {
            return Err(Errno::Exists);
        }
        let new = place.path();
        if self.mount_index(&old) != self.mount_index(&new) {
            return Err(Errno::CrossDevice);
        }
        self.may_change_names(super::split(&new).0, who)?;
        let linked = Arc::make_mut(&mut self.linked);
        let paths = linked.entry(inode).or_insert_with(|| vec![old.clone()]);
        paths.push(new.clone());
        let count = paths.len() as u64;
        self.node_mut(&old)?.names = count;
        self.node_mut(super::split(&new).0)?.modified = now;
        self.spread(&old)
    }

    /// Lets all names of what is at a path lead to it as it is now.
    pub(super) fn spread(&mut self, full: &str) -> Result<(), Errno> {
        if self.linked.is_empty() {
            return Ok(());
        }
        let (directory, name) = super::split(full);
        let parent = self.node(directory, Follow::No, &Credentials::root())?;
        let Kind::Directory(children) = &parent.kind else {
            return Err(Errno::NotDirectory);
        };
        let Some(node) = children.get(name).map(Arc::clone) else {
            // The root has one name.
            return Ok(());
        };
        for path in self.linked.get(&node.inode).cloned().unwrap_or_default() {
            if path != full {
                self.place(&path, Arc::clone(&node))?;
            }
        }
        Ok(())
    }

    /// Puts a node at a path, over what is there.
    pub(crate) fn place(&mut self, full: &str, node: Arc<Node>) -> Result<(), Errno> {
        let (directory, name) = super::split(full);
        let parent = self.node_mut(directory)?;
        children_of(parent)?.insert(Arc::from(name), node);
        Ok(())
    }

    /// Forgets the names at and below a path that is gone; returns how many bytes stay under
    /// others.
    pub(super) fn forget_names(&mut self, full: &str) -> Result<u64, Errno> {
        let mut stays = 0;
        for (inode, paths) in self.linked.as_ref().clone() {
            let left: Vec<String> = paths
                .iter()
                .filter(|path| moved(path, full, "").is_none())
                .cloned()
                .collect();
            if left.len() == paths.len() {
                continue;
            }
            if let Some(path) = left.first() {
                let node = self.node_mut(path)?;
                node.names = left.len() as u64;
                stays += node.blocks();
                self.set_names(inode, left.clone());
                self.spread(path)?;
            }
            if left.len() < 2 {
                Arc::make_mut(&mut self.linked).remove(&inode);
            }
        }
        Ok(stays)
    }

    fn set_names(&mut self, inode: u64, paths: Vec<String>) {
        Arc::make_mut(&mut self.linked).insert(inode, paths);
    }

    /// Lets the names at and below a path be those at and below another one.
    pub(super) fn move_names(&mut self, from: &str, to: &str) {
        if self.linked.is_empty() {
            return;
        }
        let paths = Arc::make_mut(&mut self.linked).values_mut().flatten();
        for path in paths {
            if let Some(new) = moved(path, from, to) {
                *path = new;
            }
        }
    }
}

/// Returns where a path is after a move of `from`, where it is at or below that.
fn moved(path: &str, from: &str, to: &str) -> Option<String> {
    let rest = path.strip_prefix(from)?;
    (rest.is_empty() || rest.starts_with('/')).then(|| format!("{to}{rest}"))
}
