//! Images, volumes, networks.

use crate::engine::image::{self, Local};
use crate::engine::network::Network;
use crate::engine::value::{Value, map};
use crate::engine::volume::{self, Volume};
use crate::engine::{around, names};
use crate::world::{HostId, World};

/// Returns the names of an image as docker shows them.
pub(crate) fn tags(local: &Local) -> Vec<String> {
    local
        .tags
        .iter()
        .map(|tag| image::familiar(tag).to_owned())
        .collect()
}

/// Returns the names of an image with its digest.
pub(crate) fn digests(local: &Local) -> Vec<String> {
    let repositories = local.repositories.iter();
    repositories
        .map(|name| format!("{}@{}", image::familiar(name), local.image.digest))
        .collect()
}

/// Returns what `GET /images/{name}/json` answers.
pub(crate) fn image(local: &Local) -> Value {
    let image = &local.image;
    let words = |words: &[String]| {
        if words.is_empty() {
            Value::Null
        } else {
            Value::from(words.to_vec())
        }
    };
    let layers: Vec<String> = image
        .layers
        .iter()
        .map(|layer| layer.digest.clone())
        .collect();
    map! {
        "Id": &image.id,
        "RepoTags": tags(local),
        "RepoDigests": digests(local),
        "Parent": "",
        "Comment": "",
        "Created": names::timestamp(image.created),
        "DockerVersion": "",
        "Author": "",
        "Config": map! {
            "Hostname": "",
            "User": "",
            "Env": image.environment.clone(),
            "Cmd": words(&image.command),
            "Entrypoint": words(&image.entrypoint),
            "WorkingDir": "",
            "Labels": &image.labels,
        },
        "Architecture": "amd64",
        "Os": "linux",
        "Size": image.size(),
        "GraphDriver": map! { "Data": Value::Null, "Name": "overlay2" },
        "RootFS": map! { "Type": "layers", "Layers": layers },
        "Metadata": map! { "LastTagTime": names::NEVER },
    }
}

/// Returns what `GET /images/json` answers for an image.
pub(crate) fn image_summary(local: &Local) -> Value {
    map! {
        "Containers": -1,
        "Created": local.image.created.as_secs(),
        "Id": &local.image.id,
        "Labels": &local.image.labels,
        "ParentId": "",
        "RepoDigests": digests(local),
        "RepoTags": tags(local),
        "SharedSize": -1,
        "Size": local.image.size(),
    }
}

/// Returns what `GET /volumes/{name}` answers.
pub(crate) fn volume(world: &World, host: HostId, one: &Volume) -> Value {
    let mut labels = one.labels.clone();
    if one.is_anonymous {
        labels.insert("com.docker.volume.anonymous".to_owned(), String::new());
    }
    let shown = if labels.is_empty() {
        Value::Null
    } else {
        Value::from(&labels)
    };
    map! {
        "CreatedAt": standin::log::timestamp(world.wall(host, one.created).as_secs()),
        "Driver": "local",
        "Labels": shown,
        "Mountpoint": volume::mount_point(world, host, &one.name),
        "Name": &one.name,
        "Options": Value::Null,
        "Scope": "local",
    }
}

/// Returns what `GET /networks/{id}` answers.
pub(crate) fn network(world: &World, host: HostId, one: &Network) -> Value {
    let config = one.subnet.as_ref().map(|subnet| {
        let gateway = subnet.split('/').next().unwrap_or_default();
        let gateway = gateway
            .rsplit_once('.')
            .map(|(start, _)| format!("{start}.1"));
        vec![map! { "Subnet": subnet, "Gateway": gateway.unwrap_or_default() }]
    });
    let peers: Value = match &world.engine(host).membership {
        Some(_) if one.scope == "swarm" => {
            let own = around::address(world, host);
            Value::from(vec![map! { "Name": names::short(&one.id), "IP": own }])
        }
        _ => Value::Null,
    };
    let mut shown = map! {
        "Name": &one.name,
        "Id": &one.id,
        "Created": names::timestamp(world.wall(host, one.created)),
        "Scope": &one.scope,
        "Driver": &one.driver,
        "EnableIPv6": false,
        "IPAM": map! {
            "Driver": "default",
            "Options": Value::Null,
            "Config": config.unwrap_or_default(),
        },
        "Internal": one.is_internal,
        "Attachable": one.is_attachable,
        "Ingress": one.name == "ingress",
        "ConfigFrom": map! { "Network": "" },
        "ConfigOnly": false,
        "Containers": map! {},
        "Options": map! {},
        "Labels": &one.labels,
    };
    if let (Value::Map(members), Value::List(_)) = (&mut shown, &peers) {
        members.push(("Peers".to_owned(), peers));
    }
    shown
}
