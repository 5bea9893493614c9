//! Hosts in containers: each container with programs is a small host of its own, with its files,
//! its processes and its name. Only what is mounted it has in common with the host outside.
//!
//! They are no hosts of the fleet: nobody finds them on the network, and they are not listed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::door::Reach;
use crate::files::{Credentials, Files, Follow, Kind, Node};
use crate::host::Host;
use crate::process::{Pid, Signal};
use crate::world::{HostId, World};

/// The first place of a host in a container: no fleet has as many hosts.
const FIRST: usize = 1 << 40;

/// All hosts in containers.
#[derive(Debug, Default)]
pub(crate) struct Insides {
    all: BTreeMap<HostId, Inside>,
    /// How many there ever were.
    count: usize,
}

/// A host in a container.
#[derive(Debug)]
struct Inside {
    outside: HostId,
    host: Box<Host>,
    shared: Vec<Shared>,
}

/// A path that both have.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    /// Where it is outside, without links.
    pub(crate) source: String,
    /// Where it is inside, without links.
    pub(crate) target: String,
    /// What was there when somebody looked last.
    seen: Option<Arc<Node>>,
}

impl Shared {
    /// Shares a path with another one.
    pub(crate) fn new(source: String, target: String) -> Self {
        Self {
            source,
            target,
            seen: None,
        }
    }

    /// Lets the inside see what is outside.
    fn bring_in(&mut self, inside: &mut Files, outside: &Files) {
        let now = outside.shared_node(&self.source);
        let is_same = |seen: &Arc<Node>, now: &Arc<Node>| Arc::ptr_eq(seen, now);
        match (&self.seen, now) {
            (Some(seen), Some(now)) if is_same(seen, &now) => {}
            (_, Some(now)) => {
                inside.share_node(&self.target, Arc::clone(&now));
                self.seen = Some(now);
            }
            // What is gone outside is still mounted.
            (_, None) => {}
        }
    }

    /// Lets the outside see what has changed inside.
    fn bring_out(&mut self, inside: &Files, outside: &mut Files) {
        let Some(now) = inside.shared_node(&self.target) else {
            return;
        };
        if self
            .seen
            .as_ref()
            .is_none_or(|seen| !Arc::ptr_eq(seen, &now))
        {
            outside.share_node(&self.source, Arc::clone(&now));
            self.seen = Some(now);
        }
    }
}

impl Insides {
    /// Adds a host in a container of another one.
    pub(crate) fn add(&mut self, outside: HostId, mut host: Host, shared: Vec<Shared>) -> HostId {
        self.count += 1;
        // Numbers of files are those of one host, whoever has made them.
        host.files.number_from(1 << 24 | (self.count as u64) << 32);
        let id = HostId(FIRST + self.count);
        let inside = Inside {
            outside,
            host: Box::new(host),
            shared,
        };
        self.all.insert(id, inside);
        id
    }

    /// Returns whether the first process of a host does something of its own about a signal.
    pub(crate) fn catches(&self, id: HostId, signal: Signal) -> bool {
        let inside = self.all.get(&id);
        let first = inside.and_then(|inside| inside.host.processes.all().get(&Pid(1)));
        first.is_some_and(|process| process.control.catches(signal))
    }

    /// Returns how many there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Removes a host in a container. What still runs there ends.
    pub(crate) fn remove(&mut self, id: HostId) {
        if let Some(mut inside) = self.all.remove(&id) {
            inside.host.processes.kill_all();
        }
    }
}

impl World {
    /// Does something with a host, or with one in a container.
    pub(crate) fn with_host<T>(&mut self, id: HostId, work: impl FnOnce(&mut Host) -> T) -> T {
        if id.0 < FIRST {
            let host = &mut self.hosts[id.0];
            let Some(ways) = &self.ways else {
                return work(host);
            };
            let before = Reach::of(host);
            let result = work(host);
            if Reach::of(host) != before {
                ways.send_modify(|count| *count += 1);
            }
            return result;
        }
        let Some(mut inside) = self.insides.all.remove(&id) else {
            // It is gone, and the last of its processes does not know yet.
            return work(&mut Host::blank("gone"));
        };
        let outside = &mut self.hosts[inside.outside.0];
        for shared in &mut inside.shared {
            shared.bring_in(&mut inside.host.files, &outside.files);
        }
        let result = work(&mut inside.host);
        for shared in &mut inside.shared {
            shared.bring_out(&inside.host.files, &mut outside.files);
        }
        self.insides.all.insert(id, inside);
        result
    }

    /// Returns the host of the fleet that a host is, or is in.
    pub(crate) fn outside_of(&self, id: HostId) -> HostId {
        self.insides
            .all
            .get(&id)
            .map_or(id, |inside| inside.outside)
    }
}

impl Files {
    /// Returns what is at a path without links, to be shared with another tree.
    fn shared_node(&self, path: &str) -> Option<Arc<Node>> {
        let (directory, name) = crate::files::split(path);
        let parent = self
            .node(directory, Follow::No, &Credentials::root())
            .ok()?;
        match &parent.kind {
            Kind::Directory(children) => children.get(name).map(Arc::clone),
            _ => None,
        }
    }

    /// Takes over what another tree has at a path, where that is more than an empty directory.
    pub(crate) fn share_from(&mut self, path: &str, other: &Self, there: &str) {
        let node = other.shared_node(there);
        let is_empty = |node: &Arc<Node>| match &node.kind {
            Kind::Directory(children) => children.is_empty(),
            _ => true,
        };
        if let Some(node) = node.filter(|node| !is_empty(node)) {
            self.share_node(path, node);
        }
    }

    /// Lets a path without links lead to what another tree has.
    fn share_node(&mut self, path: &str, node: Arc<Node>) {
        let before = self.node(path, Follow::No, &Credentials::root());
        let before = before.map_or(0, Node::blocks);
        let after = node.blocks();
        if self.place(path, node).is_ok() {
            // Room was checked where it was taken.
            let _ = self.account(path, before, after);
        }
    }
}
