//! What machines see of the engine: only what they ask for.

use std::time::Duration;

use standin::engine::{Config, Container, Node, Part, Payload, Service, Swarm, Task, View};

use crate::engine::swarm::{NO_LEADER, managed, raft};
use crate::engine::{Refusal, image};
use crate::world::{HostId, World};

/// Makes the refusal of an engine that does not answer.
pub(super) fn silent() -> Refusal {
    Refusal {
        status: None,
        message:
            "unable to reach the engine at /var/run/docker.sock: Connection refused (os error \
                  111)"
                .to_owned(),
    }
}

/// Looks at some parts of the engine.
///
/// # Errors
///
/// Fails where the engine refuses one of them.
pub(super) fn look(
    world: &World,
    host: HostId,
    parts: &[Part],
    now: Duration,
) -> Result<View, Refusal> {
    let engine = world.engine(host);
    if !engine.is_answering() {
        return Err(silent());
    }
    let mut view = View::default();
    for part in parts {
        match part {
            Part::Swarm => {
                view.host_name.clone_from(&world.hosts[host.0].name);
                view.engine_version.clone_from(&engine.version);
                view.swarm = swarm(world, host);
            }
            Part::Containers => {
                let containers = engine.containers.values();
                let ours = containers.filter(|one| one.name.contains("ucp"));
                view.containers = ours
                    .map(|one| Container {
                        name: one.name.clone(),
                        image: one.spec.image.clone(),
                        state: one.state.status.name().to_owned(),
                        labels: one.spec.labels.clone(),
                    })
                    .collect();
            }
            Part::Volumes => view.volumes = engine.volumes.keys().cloned().collect(),
            Part::Images => {
                let tags = engine.images.iter().flat_map(|one| &one.tags);
                view.images = tags.map(|tag| image::familiar(tag).to_owned()).collect();
            }
            Part::Nodes => view.nodes = nodes(world, managed(world, host)?, now),
            Part::Services => view.services = services(world, managed(world, host)?),
            Part::Tasks(service) => view.tasks = tasks(world, managed(world, host)?, service),
            Part::Configs => view.configs = configs(world, managed(world, host)?),
        }
    }
    Ok(view)
}

/// Returns the membership of the node of a host.
pub(super) fn swarm(world: &World, host: HostId) -> Swarm {
    let Some(membership) = &world.engine(host).membership else {
        return Swarm::default();
    };
    let state = world.swarm(membership.swarm);
    let Some(node) = state.nodes.get(&membership.node) else {
        return Swarm {
            node_id: membership.node.clone(),
            ..Swarm::default()
        };
    };
    let has_leader = raft::sees_leader(world, membership.swarm, host);
    Swarm {
        node_id: node.id.clone(),
        node_address: node.address.clone(),
        is_manager: node.is_manager,
        cluster_id: if node.is_manager && has_leader {
            state.id.clone()
        } else {
            String::new()
        },
        error: (node.is_manager && !has_leader).then(|| NO_LEADER.to_owned()),
    }
}

fn nodes(world: &World, swarm: usize, now: Duration) -> Vec<Node> {
    let nodes = world.swarm(swarm).nodes.values();
    nodes
        .map(|node| Node {
            id: node.id.clone(),
            host_name: node.host_name.clone(),
            is_manager: node.is_manager,
            state: node.state(now).to_owned(),
            labels: node.labels.clone(),
        })
        .collect()
}

fn services(world: &World, swarm: usize) -> Vec<Service> {
    let services = world.swarm(swarm).services.values();
    let ours = services.filter(|service| service.spec.name.starts_with("ucp"));
    ours.map(|service| Service {
        name: service.spec.name.clone(),
        image: service.spec.image.clone(),
        update: service
            .update
            .as_ref()
            .map(|update| update.state().to_owned()),
    })
    .collect()
}

fn tasks(world: &World, swarm: usize, service: &str) -> Vec<Task> {
    let state = world.swarm(swarm);
    let id = state.find_service(service).map(|one| one.id.clone());
    let tasks = state.tasks.values();
    let of_service = tasks.filter(|task| id.as_ref().is_ok_and(|id| *id == task.service));
    of_service
        .map(|task| Task {
            node_id: task.node.clone().unwrap_or_default(),
            state: task.state.name().to_owned(),
        })
        .collect()
}

fn configs(world: &World, swarm: usize) -> Vec<Config> {
    let configs = world.swarm(swarm).configs.values();
    configs
        .map(|config| Config {
            id: config.id.clone(),
            name: config.name.clone(),
            data: Payload(config.data.clone()),
        })
        .collect()
}
