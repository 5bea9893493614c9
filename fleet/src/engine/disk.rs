//! The files of an engine on its host: what is not there at its next start is forgotten.

use std::time::Duration;

use super::image::{Image, Layer};
use super::names;
use crate::files::{Content, Credentials, Errno, Files};
use crate::world::{HostId, World};

/// The directories in the data root of an engine.
const DIRECTORIES: &[&str] = &[
    "buildkit",
    "containers",
    "image/overlay2",
    "network/files",
    "overlay2/l",
    "plugins",
    "runtimes",
    "swarm",
    "tmp",
    "volumes",
];

/// A disk: the files of a host with the rights of root and a time.
pub(crate) struct Disk<'a> {
    files: &'a mut Files,
    now: Duration,
    root: String,
    who: Credentials,
}

/// Opens the disk of a host at a time since the start of the fleet.
pub(crate) fn disk(world: &mut World, host: HostId, now: Duration) -> Disk<'_> {
    let now = world.wall(host, now);
    let host = &mut world.hosts[host.0];
    Disk {
        root: host.engine.settings.data_root.clone(),
        files: &mut host.files,
        now,
        who: Credentials::root(),
    }
}

impl Disk<'_> {
    /// Returns a path in the data root.
    pub(crate) fn path(&self, inside: &str) -> String {
        format!("{}/{inside}", self.root)
    }

    /// Returns whether something is in the data root.
    pub(crate) fn has(&self, inside: &str) -> bool {
        self.files.exists(&self.path(inside))
    }

    /// Makes what an engine makes when it starts.
    pub(crate) fn lay_out(&mut self, is_old: bool) -> Result<(), Errno> {
        for directory in DIRECTORIES {
            let path = self.path(directory);
            self.files.make_dirs(&path, 0o710, &self.who, self.now)?;
        }
        if is_old {
            // Before version 24: a key of its own, and what is known of signed images.
            let path = self.path("trust");
            self.files.make_dirs(&path, 0o700, &self.who, self.now)?;
            self.files
                .make_dirs("/etc/docker", 0o755, &self.who, self.now)?;
            if !self.files.exists("/etc/docker/key.json") {
                self.write("/etc/docker/key.json", b"{\"crv\":\"P-256\"}\n")?;
            }
        }
        for name in [
            "containerd",
            "libnetwork",
            "netns",
            "plugins",
            "runtime-runc",
            "swarm",
        ] {
            let path = format!("/run/docker/{name}");
            self.files.make_dirs(&path, 0o700, &self.who, self.now)?;
        }
        self.write("/run/docker/metrics.sock", b"")?;
        Ok(())
    }

    /// Keeps what tells that a container is there.
    pub(crate) fn keep_container(&mut self, id: &str) -> Result<(), Errno> {
        let directory = self.path(&format!("containers/{id}"));
        self.files
            .make_dirs(&directory, 0o710, &self.who, self.now)?;
        self.write(&format!("{directory}/config.v2.json"), b"{}\n")
    }

    /// Forgets a container.
    pub(crate) fn forget_container(&mut self, id: &str) {
        let directory = self.path(&format!("containers/{id}"));
        self.remove(&directory);
    }

    /// Makes room for layers and keeps them.
    pub(crate) fn keep_layers(&mut self, layers: &[Layer]) -> Result<(), Errno> {
        for layer in layers {
            let digits = names::short(&layer.digest);
            let directory = self.path(&format!("overlay2/{digits}/diff"));
            self.files
                .make_dirs(&directory, 0o755, &self.who, self.now)?;
            let content = Content::Large {
                size: layer.size,
                seed: 1,
            };
            let path = format!("{directory}/layer");
            self.files
                .write(&path, content, 0o644, &self.who, self.now)?;
        }
        let marker = self.path("image/overlay2/repositories.json");
        self.write(&marker, b"{}\n")
    }

    /// Forgets layers.
    pub(crate) fn forget_layers(&mut self, layers: &[Layer]) {
        for layer in layers {
            let digits = names::short(&layer.digest);
            let directory = self.path(&format!("overlay2/{digits}"));
            self.remove(&directory);
        }
    }

    /// Makes the directory of a volume and returns its path.
    pub(crate) fn make_volume(&mut self, name: &str) -> Result<String, Errno> {
        let path = self.path(&format!("volumes/{name}/_data"));
        self.files.make_dirs(&path, 0o755, &self.who, self.now)?;
        Ok(path)
    }

    /// Removes the directory of a volume.
    pub(crate) fn remove_volume(&mut self, name: &str) {
        let path = self.path(&format!("volumes/{name}"));
        self.remove(&path);
    }

    /// Returns the names of the volumes that have a directory.
    pub(crate) fn volumes(&self) -> Vec<String> {
        let names = self.files.list(&self.path("volumes"), &self.who);
        names.unwrap_or_default()
    }

    /// Keeps that the engine is in a swarm.
    pub(crate) fn keep_membership(&mut self, node: &str) -> Result<(), Errno> {
        let directory = self.path("swarm");
        self.files
            .make_dirs(&directory, 0o700, &self.who, self.now)?;
        for part in ["certificates", "worker"] {
            let path = format!("{directory}/{part}");
            self.files.make_dirs(&path, 0o700, &self.who, self.now)?;
        }
        self.write(&format!("{directory}/state.json"), b"[]\n")?;
        let state = format!("{{\"NodeID\":\"{node}\"}}\n");
        self.write(&format!("{directory}/docker-state.json"), state.as_bytes())
    }

    /// Forgets that the engine is in a swarm.
    pub(crate) fn forget_membership(&mut self) {
        let directory = self.path("swarm");
        self.remove(&directory);
        // The directory itself is there again at once, as it is after a real `leave`.
        let _ = self.files.make_dirs(&directory, 0o700, &self.who, self.now);
    }

    /// Reads any file of the host.
    pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let content = self.files.read(path, &self.who)?;
        Ok(content.whole().to_vec())
    }

    /// Writes any file of the host, for its owner alone.
    pub(crate) fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), Errno> {
        let content = Content::from(bytes.to_vec());
        self.files.write(path, content, 0o600, &self.who, self.now)
    }

    /// Removes whatever is at a path; nothing there is no error.
    fn remove(&mut self, path: &str) {
        // What cannot be removed stays, as it does for the real engine.
        let _ = self.files.remove_tree(path, &self.who, self.now);
    }
}

/// Keeps the layers of an image that are not there yet: all or none. `file` is what the engine is
/// writing then, in its data root.
///
/// # Errors
///
/// Returns what the engine says where there is no room.
pub(crate) fn keep_layers(
    world: &mut World,
    host: HostId,
    image: &Image,
    file: &str,
    now: Duration,
) -> Result<(), String> {
    let layers = world.engine(host).images.missing_layers(image);
    let kept = disk(world, host, now).keep_layers(&layers);
    kept.map_err(|errno| {
        disk(world, host, now).forget_layers(&layers);
        let root = &world.engine(host).settings.data_root;
        cannot(&format!("write {root}/{file}"), errno)
    })
}

/// Returns what the engine says about a disk that is full or gone.
pub(crate) fn cannot(what: &str, errno: Errno) -> String {
    let text = errno.to_string();
    let mut letters = text.chars();
    // Go has the words of the C library without their capital letter.
    let text: String = letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default();
    format!("{what}: {text}")
}
