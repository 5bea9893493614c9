//! Volumes: directories of the host with a name.

use std::collections::BTreeMap;
use std::time::Duration;

use super::disk::{cannot, disk};
use super::{Refusal, refusal};
use crate::files::Kind;
use crate::world::{HostId, World};

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Volume {
    /// Its name.
    pub(crate) name: String,
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// When it was made.
    pub(crate) created: Duration,
    /// Whether it was made for a container that named none.
    pub(crate) is_anonymous: bool,
}

/// Makes a volume, unless it is there.
pub(crate) fn create(
    world: &mut World,
    host: HostId,
    volume: Volume,
    now: Duration,
) -> Result<(), Refusal> {
    let name = volume.name.clone();
    let is_good = |one: char| one.is_ascii_alphanumeric() || "_.-".contains(one);
    if name.len() == 1 {
        let text = format!(
            "create {name}: volume name is too short, names should be at least two alphanumeric \
             characters"
        );
        return Err(refusal(400, text));
    }
    if name.is_empty() || !name.chars().all(is_good) || name.starts_with(['.', '-', '_']) {
        return Err(refusal(
            400,
            format!(
                "create {name}: \"{name}\" includes invalid characters for a local volume name, \
                 only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host \
                 directory, use absolute path"
            ),
        ));
    }
    if world.engine(host).volumes.contains_key(&name) {
        return Ok(());
    }
    let made = disk(world, host, now).make_volume(&name);
    made.map_err(|errno| {
        let path = format!(
            "mkdir {}/volumes/{name}",
            world.engine(host).settings.data_root
        );
        refusal(500, format!("create {name}: {}", cannot(&path, errno)))
    })?;
    world.engine_mut(host).volumes.insert(name, volume);
    world.touch(host);
    Ok(())
}

/// Returns the ids of the containers that use a volume.
pub(crate) fn users(world: &World, host: HostId, name: &str) -> Vec<String> {
    let containers = world.engine(host).containers.values();
    containers
        .filter(|one| one.spec.mounts.iter().any(|mount| mount.is_volume(name)))
        .map(|one| one.id.clone())
        .collect()
}

/// Removes a volume that nobody uses.
pub(crate) fn remove(
    world: &mut World,
    host: HostId,
    name: &str,
    is_forced: bool,
    now: Duration,
) -> Result<(), Refusal> {
    if !world.engine(host).volumes.contains_key(name) {
        return if is_forced {
            Ok(())
        } else {
            Err(refusal(404, format!("get {name}: no such volume")))
        };
    }
    let users = users(world, host, name);
    if !users.is_empty() {
        return Err(refusal(
            409,
            format!("remove {name}: volume is in use - [{}]", users.join(", ")),
        ));
    }
    world.engine_mut(host).volumes.remove(name);
    disk(world, host, now).remove_volume(name);
    world.touch(host);
    Ok(())
}

/// Returns how many bytes the files of a volume have.
pub(crate) fn size(world: &World, host: HostId, name: &str) -> u64 {
    let mut sum = 0;
    let files = &world.hosts[host.0].files;
    files.visit(&mount_point(world, host, name), &mut |_, node| {
        if let Kind::File(content) = &node.kind {
            sum += content.size();
        }
    });
    sum
}

/// Returns the directory of a volume on its host.
pub(crate) fn mount_point(world: &World, host: HostId, name: &str) -> String {
    format!(
        "{}/volumes/{name}/_data",
        world.engine(host).settings.data_root
    )
}
