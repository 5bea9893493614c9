//! Looking: paths, links, rights.

use std::sync::Arc;

use super::node::{READ, SEARCH};
use super::{Content, Credentials, Errno, Files, Kind, Node, Stat};

/// How many symbolic links a path may have, as in Linux.
const MOST_LINKS: usize = 40;
/// How deep most paths go.
const USUAL_DEPTH: usize = 8;

/// Whether a symbolic link at the end of a path is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// It is.
    Yes,
    /// The link itself is meant.
    No,
}

/// Where a path leads.
pub(super) struct Found<'a, 'p> {
    /// The names from the root on, no link among them but the last.
    names: Vec<&'p str>,
    /// What is there, if anything is.
    pub(super) node: Option<&'a Node>,
    /// Whether the path ends with a slash.
    pub(super) wants_directory: bool,
}

impl Found<'_, '_> {
    pub(super) fn path(&self) -> String {
        format!("/{}", self.names.join("/"))
    }
}

impl Files {
    /// Walks a path; the last name need not be there.
    pub(super) fn find<'a: 'p, 'p>(
        &'a self,
        path: &'p str,
        follow: Follow,
        who: &Credentials,
    ) -> Result<Found<'a, 'p>, Errno> {
        if path.is_empty() {
            return Err(Errno::NotFound);
        }
        let mut rest = parts(path);
        // What links on the way stand for comes first; the next name is the last.
        let mut of_links: Vec<&'p str> = Vec::new();
        let mut wants_directory = path.ends_with('/');
        let mut stack: Vec<(&'p str, &'a Node)> = Vec::with_capacity(USUAL_DEPTH);
        let mut links = 0;
        while let Some(part) = of_links.pop().or_else(|| rest.next()) {
            let here = stack.last().map_or(&*self.root, |(_, node)| *node);
            let Kind::Directory(children) = &here.kind else {
                return Err(Errno::NotDirectory);
            };
            if !here.allows(who, SEARCH) {
                return Err(Errno::Access);
            }
            if part == ".." {
                stack.pop();
                continue;
            }
            if part == "." {
                continue;
            }
            let mut left = of_links.iter().copied().chain(rest.clone());
            let Some(node) = children.get(part) else {
                if !left.all(|one| one == ".") {
                    return Err(Errno::NotFound);
                }
                let mut names: Vec<&str> = stack.into_iter().map(|(name, _)| name).collect();
                names.push(part);
                return Ok(Found {
                    names,
                    node: None,
                    wants_directory,
                });
            };
            let is_last = left.next().is_none();
            match &node.kind {
                Kind::Link(target) if follow == Follow::Yes || wants_directory || !is_last => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(Errno::Loop);
                    }
                    if target.starts_with('/') {
                        stack.clear();
                    }
                    wants_directory |= is_last && target.ends_with('/');
                    of_links.extend(parts(target).rev());
                }
                _ => stack.push((part, node)),
            }
        }
        let node = stack.last().map_or(&*self.root, |(_, node)| *node);
        if wants_directory && !matches!(node.kind, Kind::Directory(_)) {
            return Err(Errno::NotDirectory);
        }
        Ok(Found {
            node: Some(node),
            names: stack.into_iter().map(|(name, _)| name).collect(),
            wants_directory,
        })
    }

    /// Returns what is at a path.
    ///
    /// # Errors
    ///
    /// Fails where nothing is there, or the way there is barred.
    pub fn node(&self, path: &str, follow: Follow, who: &Credentials) -> Result<&Node, Errno> {
        self.find(path, follow, who)?.node.ok_or(Errno::NotFound)
    }

    /// Returns what `stat(2)` tells.
    ///
    /// # Errors
    ///
    /// Fails as [`Files::node`].
    pub fn stat(&self, path: &str, follow: Follow, who: &Credentials) -> Result<Stat, Errno> {
        self.node(path, follow, who).map(Node::stat)
    }

    /// Returns the path without links; the last name need not be there.
    ///
    /// # Errors
    ///
    /// Fails where the way there is barred.
    pub fn resolve(&self, path: &str, follow: Follow, who: &Credentials) -> Result<String, Errno> {
        self.find(path, follow, who).map(|found| found.path())
    }

    /// Returns the content of a file.
    ///
    /// # Errors
    ///
    /// Fails where it is no file, or may not be read.
    pub fn read(&self, path: &str, who: &Credentials) -> Result<Content, Errno> {
        let node = self.node(path, Follow::Yes, who)?;
        if !node.allows(who, READ) {
            return Err(Errno::Access);
        }
        match &node.kind {
            Kind::File(content) => Ok(content.clone()),
            Kind::Directory(_) => Err(Errno::IsDirectory),
            Kind::Socket => Err(Errno::NoDevice),
            Kind::Link(_) | Kind::Fifo | Kind::Device(_) => Err(Errno::Invalid),
        }
    }

    /// Returns the text of a file as root reads it; `None` where there is no such file.
    pub fn text(&self, path: &str) -> Option<String> {
        let content = self.read(path, &Credentials::root()).ok()?;
        Some(content.text().into_owned())
    }

    /// Returns whether something is at a path, as root sees it.
    pub fn exists(&self, path: &str) -> bool {
        self.node(path, Follow::Yes, &Credentials::root()).is_ok()
    }

    /// Returns the names in a directory, sorted.
    ///
    /// # Errors
    ///
    /// Fails where it is no directory, or may not be read.
    pub fn list(&self, path: &str, who: &Credentials) -> Result<Vec<String>, Errno> {
        let node = self.node(path, Follow::Yes, who)?;
        let Kind::Directory(children) = &node.kind else {
            return Err(Errno::NotDirectory);
        };
        if !node.allows(who, READ) {
            return Err(Errno::Access);
        }
        Ok(children.keys().map(|name| name.to_string()).collect())
    }

    /// Calls `visit` with every path at which another tree differs, with what is there in this one
    /// and in the other. What the two have in common is not looked at.
    pub fn compare<'a>(&'a self, other: &'a Self, visit: &mut Visit<'a, '_>) {
        compare_below("", &self.root, &other.root, visit);
    }

    /// Calls `visit` with every path below a directory and what is there, parents first.
    pub fn visit(&self, path: &str, visit: &mut dyn FnMut(&str, &Node)) {
        if let Ok(node) = self.node(path, Follow::No, &Credentials::root()) {
            visit_below(path.trim_end_matches('/'), node, visit);
        }
    }
}

/// Told of a path, and of what is there in one tree and in another.
type Visit<'a, 'b> = dyn FnMut(&str, Option<&'a Node>, Option<&'a Node>) + 'b;

fn compare_below<'a>(
    path: &str,
    one: &'a Arc<Node>,
    other: &'a Arc<Node>,
    visit: &mut Visit<'a, '_>,
) {
    if Arc::ptr_eq(one, other) {
        return;
    }
    let (Kind::Directory(mine), Kind::Directory(theirs)) = (&one.kind, &other.kind) else {
        visit(path, Some(one), Some(other));
        return;
    };
    if (one.mode, one.uid, one.gid) != (other.mode, other.uid, other.gid) {
        visit(path, Some(one), Some(other));
    }
    for (name, node) in mine {
        let path = format!("{path}/{name}");
        match theirs.get(name) {
            Some(theirs) => compare_below(&path, node, theirs, visit),
            None => visit(&path, Some(node), None),
        }
    }
    for (name, node) in theirs {
        if !mine.contains_key(name) {
            visit(&format!("{path}/{name}"), None, Some(node));
        }
    }
}

fn visit_below(path: &str, node: &Node, visit: &mut dyn FnMut(&str, &Node)) {
    if let Kind::Directory(children) = &node.kind {
        for (name, child) in children {
            let path = format!("{path}/{name}");
            visit(&path, child);
            visit_below(&path, child, visit);
        }
    }
}

fn parts(path: &str) -> impl DoubleEndedIterator<Item = &str> + Clone {
    path.split('/').filter(|part| !part.is_empty())
}
