//! What a host is at one moment, as lines that can be compared: without times, ids and whatever
//! else differs between two runs that came to the same.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::connection::Kind as Declared;
use crate::files::{Content, Files, Kind, Node};
use crate::host::Host;
use crate::packages::Packages;
use crate::world::{Fleet, HostId, World};

/// Directories whose content is not compared: what the kernel shows, logs, caches, and what the
/// engine keeps, which is compared as engines tell it.
const LEFT_OUT: &[&str] = &[
    "/proc",
    "/sys",
    "/dev",
    "/var/lib/docker/",
    "/run/docker/",
    "/run/openrc",
    "/var/lib/apt/lists",
    "/var/lib/dpkg/info",
    "/var/cache",
    "/var/log",
    "/var/lib/systemd",
];

/// Files that are there or not, whatever is in them.
const ONLY_THERE: &[&str] = &[
    "/run/launchpad/last-run",
    "/etc/machine-id",
    "/run/crond.pid",
    "/run/docker-ssd.pid",
    "/run/docker.pid",
    "/run/sshd.pid",
];

/// What a host is: a line of text under each name.
pub type Snapshot = BTreeMap<String, String>;

/// A command that was declared to only look, and did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The host.
    pub host: String,
    /// Which command of that host, from 1.
    pub number: u64,
    /// What it changed.
    pub changes: Vec<String>,
}

impl Fleet {
    /// Returns what a host is now.
    pub fn snapshot(&self, host: HostId) -> Snapshot {
        crate::engine::enter(self, |world, _| {
            let mut all = Snapshot::new();
            add_files(&world.hosts[host.0].files, &mut all);
            add_system(&world.hosts[host.0], &mut all);
            add_engine(world, host, &mut all);
            all
        })
    }

    /// Returns what all hosts are now: names with that of their host in front.
    pub fn snapshots(&self) -> Snapshot {
        let names = self.world(|world| {
            world
                .hosts
                .iter()
                .map(|host| host.name.clone())
                .collect::<Vec<String>>()
        });
        let mut all = Snapshot::new();
        for (index, name) in names.iter().enumerate() {
            let own = self.snapshot(HostId(index)).into_iter();
            all.extend(own.map(|(key, value)| (format!("{name} {key}"), value)));
        }
        all
    }

    /// Lets every command that was declared to only look be checked.
    pub fn audit(&self) {
        self.world(|world| world.audits = true);
    }

    /// Returns the commands that were declared to only look, and did not.
    pub fn breaches(&self) -> Vec<Breach> {
        self.world(|world| world.breaches.clone())
    }

    /// Takes note that a host was changed by something else than a command that only looks.
    pub(crate) fn note_change(&self, host: HostId) {
        self.world(|world| *world.changing.entry(host).or_default() += 1);
    }

    /// Takes note of what a host is before a command, where somebody wants to know.
    pub(crate) fn before_audit(&self, host: HostId) -> Option<(Files, Packages, u64)> {
        self.world(|world| {
            let changes = *world.changing.entry(host).or_default();
            let audits = world.audits;
            let host = &world.hosts[host.0];
            audits.then(|| (host.files.clone(), host.packages.clone(), changes))
        })
    }

    /// Compares a host with what it was before a command.
    pub(crate) fn after_audit(
        &self,
        host: HostId,
        number: u64,
        before: Option<(Files, Packages, u64)>,
    ) {
        let session = crate::connection::session_of(host, number);
        let declared = self.kind_of(session);
        if declared != Declared::Read {
            self.note_change(host);
        }
        self.world(|world| {
            let Some((files, packages, changes)) = before else {
                return;
            };
            let is_alone = world.changing.get(&host) == Some(&changes);
            let now = &world.hosts[host.0];
            let is_same = now.files == files && now.packages.installed == packages.installed;
            if declared != Declared::Read || !is_alone || is_same {
                return;
            }
            // A change that has not ended may have written something already.
            if world.faults.is_changing(host) {
                return;
            }
            let (mut old, mut new) = (Snapshot::new(), Snapshot::new());
            files.compare(&now.files, &mut |path, before, after| {
                if LEFT_OUT.iter().any(|one| path.starts_with(one)) {
                    return;
                }
                let line = |node: &Node| line_of(path, node);
                old.extend(before.map(|node| (format!("file {path}"), line(node))));
                new.extend(after.map(|node| (format!("file {path}"), line(node))));
            });
            add_packages(&packages, &mut old);
            add_packages(&now.packages, &mut new);
            let changes = differences(&old, &new);
            if !changes.is_empty() {
                let host = now.name.clone();
                world.breaches.push(Breach {
                    host,
                    number,
                    changes,
                });
            }
        });
    }
}

/// Returns how two snapshots differ, a line each.
pub fn differences(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in before {
        match after.get(key) {
            None => found.push(format!("- {key}: {value}")),
            Some(other) if other != value => {
                found.push(format!("~ {key}: {value} -> {other}"));
            }
            Some(_) => {}
        }
    }
    let added = after.iter().filter(|(key, _)| !before.contains_key(*key));
    found.extend(added.map(|(key, value)| format!("+ {key}: {value}")));
    found
}

fn add_files(files: &Files, all: &mut Snapshot) {
    files.visit("/", &mut |path, node| {
        let is_left_out = LEFT_OUT.iter().any(|one| path.starts_with(one));
        if !is_left_out {
            all.insert(format!("file {path}"), line_of(path, node));
        }
    });
}

fn line_of(path: &str, node: &Node) -> String {
    let what = match &node.kind {
        Kind::Directory(_) => "directory".to_owned(),
        Kind::File(_) if ONLY_THERE.contains(&path) => "file".to_owned(),
        Kind::File(Content::Bytes(bytes)) => {
            let sum = Sha256::digest(bytes);
            let sum: String = sum
                .iter()
                .take(6)
                .map(|byte| format!("{byte:02x}"))
                .collect();
            format!("file of {} bytes, {sum}", bytes.len())
        }
        Kind::File(Content::Large { size, seed }) => format!("file of {size} bytes, seed {seed}"),
        Kind::File(Content::Archive(archive)) => format!("archive of {} bytes", archive.size()),
        Kind::File(Content::Program(name)) => format!("program {name}"),
        Kind::File(Content::Live(_)) => "file of the kernel".to_owned(),
        Kind::Link(target) => format!("link to {target}"),
        Kind::Socket => "socket".to_owned(),
        Kind::Fifo => "pipe".to_owned(),
        Kind::Device(_) => "device".to_owned(),
    };
    format!("{:o} {}:{} {what}", node.mode, node.uid, node.gid)
}

fn add_packages(packages: &Packages, all: &mut Snapshot) {
    for (name, one) in packages.installed.iter() {
        let value = format!("{} {}", one.package.version, one.state.word());
        all.insert(format!("package {name}"), value);
    }
}

fn add_system(host: &Host, all: &mut Snapshot) {
    add_packages(&host.packages, all);
    for (name, state) in host.systemd.states.iter() {
        let file = crate::systemd::file_state(&host.files, name).unwrap_or("none");
        let is_quiet = state.active == crate::systemd::Active::Inactive && file == "none";
        if !is_quiet {
            let value = format!("{} {file}", state.active.word());
            all.insert(format!("unit {name}"), value);
        }
    }
    // Ends of pairs come and go with containers, which have lines of their own.
    let named = host.interfaces.iter();
    for interface in named.filter(|one| !one.name.starts_with("veth")) {
        all.insert(format!("interface {}", interface.name), String::new());
    }
}

fn add_engine(world: &World, host: HostId, all: &mut Snapshot) {
    let engine = world.engine(host);
    if !engine.is_running {
        return;
    }
    all.insert("engine".to_owned(), engine.version.clone());
    for one in engine.containers.values() {
        // The name of a task ends with its number and its id.
        let name = one.name.split('.').next().unwrap_or_default();
        let state = if one.state.status.is_alive() {
            "alive"
        } else {
            "ended"
        };
        if one.task.is_none() || state == "alive" {
            all.insert(
                format!("container {name}"),
                format!("{} {state}", one.spec.image),
            );
        }
    }
    for image in engine.images.iter() {
        for name in &image.tags {
            all.insert(format!("image {name}"), String::new());
        }
    }
    for name in engine.volumes.keys() {
        all.insert(format!("volume {name}"), String::new());
    }
    for name in engine.networks.keys() {
        all.insert(format!("network {name}"), String::new());
    }
    let Some(membership) = &engine.membership else {
        return;
    };
    let Some(swarm) = world.engines.swarms.get(membership.swarm) else {
        return;
    };
    if let Some(node) = swarm.nodes.get(&membership.node) {
        let role = if node.is_manager { "manager" } else { "worker" };
        all.insert(
            "node".to_owned(),
            format!("{role} {:?} {:?}", node.availability, node.labels),
        );
        if node.is_manager {
            for one in swarm.configs.values() {
                all.insert(format!("config {}", one.name), String::new());
            }
            for one in swarm.services.values() {
                all.insert(format!("service {}", one.spec.name), String::new());
            }
            let members = swarm.nodes.values().map(|node| node.host_name.as_str());
            let mut members: Vec<&str> = members.collect();
            members.sort_unstable();
            all.insert("nodes".to_owned(), members.join(" "));
        }
    }
}
