//! What machines have done to the engine, and to the files of their own containers.

use std::collections::BTreeMap;
use std::time::Duration;

use standin::engine::{Action, ContainerSpec, Payload, Reply, Restart, ServiceSpec};

use super::{certificate, view};
use crate::engine::container::{self, Mount, MountKind};
use crate::engine::disk::disk;
use crate::engine::image::Reference;
use crate::engine::lifecycle::{self, Removal};
use crate::engine::registry::Login;
use crate::engine::swarm::objects::{self, Kind};
use crate::engine::swarm::{managed, service};
use crate::engine::{Refusal, pull, refusal, volume};
use crate::world::{HostId, World};

/// Where containers find the engine.
const SOCKET: &str = "/var/run/docker.sock";

/// Carries something out for the process of a container.
///
/// # Errors
///
/// Fails where the engine refuses it; removing what is not there is done already.
pub(super) fn carry_out(
    world: &mut World,
    host: HostId,
    own: &str,
    action: Action,
    now: Duration,
) -> Result<Reply, Refusal> {
    match action {
        Action::MakeAuthority => {
            return certificate::authority(&mut world.rng, certificate::AUTHORITY)
                .map(Reply::Identity);
        }
        Action::Issue {
            authority,
            common_name,
            names,
        } => {
            return certificate::issue(
                &mut world.rng,
                &authority,
                certificate::AUTHORITY,
                &common_name,
                &names,
            )
            .map(Reply::Identity);
        }
        Action::ReadFile(path) => {
            return read(world, host, own, &path, now).map(Reply::File);
        }
        Action::WriteFile { path, content } => {
            let path = on_host(world, host, own, &path)?;
            let written = disk(world, host, now).write(&path, &content.0);
            written.map_err(|errno| refusal(500, format!("cannot write {path}: {errno}")))?;
            return Ok(Reply::Done);
        }
        _ => {}
    }
    if !world.engine(host).is_answering() {
        return Err(view::silent());
    }
    match action {
        Action::ReadContainerFile { container, path } => {
            return read(world, host, &container, &path, now).map(Reply::File);
        }
        Action::RunContainer(spec) => run_container(world, host, spec, now)?,
        Action::RemoveContainer(name) => {
            let how = Removal {
                is_forced: true,
                with_volumes: true,
            };
            gone(lifecycle::remove(world, host, &name, how, now))?;
        }
        Action::RemoveVolume(name) => volume::remove(world, host, &name, true, now)?,
        Action::PullImage { image, login } => {
            let login = login.map(|login| Login {
                username: login.username,
                password: login.password,
            });
            let reference = Reference::parse(&image).map_err(|text| refusal(400, text))?;
            pull::at_once(world, host, &reference, login.as_ref(), now)?;
        }
        action => in_swarm(world, host, action, now)?,
    }
    Ok(Reply::Done)
}

fn in_swarm(world: &mut World, host: HostId, action: Action, now: Duration) -> Result<(), Refusal> {
    let swarm = managed(world, host)?;
    match action {
        Action::CreateConfig { name, data } => {
            let labels = BTreeMap::new();
            objects::create(world, swarm, Kind::Config, &name, data.0, labels, now)?;
        }
        Action::RemoveConfig(name) => {
            gone(objects::remove(world, swarm, Kind::Config, &name, now))?;
        }
        Action::CreateService(spec) => {
            let spec = service_spec(world, swarm, &spec);
            service::create(world, swarm, spec, now)?;
        }
        Action::UpdateService(spec) => {
            let new = service_spec(world, swarm, &spec);
            service::update(world, swarm, &spec.name, |old| *old = new, now)?;
        }
        Action::RemoveService(name) => gone(service::remove(world, swarm, &name, now))?,
        other => return Err(refusal(500, format!("not for a swarm: {other:?}"))),
    }
    Ok(())
}

fn gone(result: Result<(), Refusal>) -> Result<(), Refusal> {
    match result {
        Err(refusal) if refusal.is_missing() => Ok(()),
        result => result,
    }
}

fn pairs(environment: &[(String, String)]) -> Vec<String> {
    let pairs = environment.iter();
    pairs
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}

fn socket() -> Mount {
    Mount {
        kind: MountKind::Bind,
        source: SOCKET.to_owned(),
        target: SOCKET.to_owned(),
        is_read_only: false,
    }
}

fn run_container(
    world: &mut World,
    host: HostId,
    spec: ContainerSpec,
    now: Duration,
) -> Result<(), Refusal> {
    let volumes = spec.volumes.into_iter().map(|(source, target)| Mount {
        kind: MountKind::Volume,
        source,
        target,
        is_read_only: false,
    });
    let wanted = container::Spec {
        image: spec.image,
        command: spec.arguments,
        environment: pairs(&spec.environment),
        labels: spec.labels,
        mounts: std::iter::once(socket()).chain(volumes).collect(),
        network: if spec.uses_host_network {
            "host"
        } else {
            "default"
        }
        .to_owned(),
        restart: container::Restart::UnlessStopped,
        ..container::Spec::default()
    };
    let id = lifecycle::create(world, host, Some(&spec.name), wanted, now)?;
    lifecycle::start(world, host, &id, now)
}

/// Returns a service as a swarm takes it. A tenth of the nodes are updated at the same time, two at
/// least.
fn service_spec(world: &World, swarm: usize, spec: &ServiceSpec) -> service::Spec {
    let (restart, delay) = match spec.restart {
        Restart::Always => (service::Restart::Any, 2),
        Restart::OnFailure => (service::Restart::OnFailure, 1),
    };
    service::Spec {
        name: spec.name.clone(),
        image: spec.image.clone(),
        arguments: spec.arguments.clone(),
        environment: pairs(&spec.environment),
        mounts: vec![socket()],
        replicas: None,
        constraints: vec!["node.platform.os==linux".to_owned()],
        restart,
        restart_delay: Duration::from_secs(delay),
        update: service::Rolling {
            parallelism: (world.swarm(swarm).nodes.len() / 10).max(2),
            delay: Duration::from_secs(15),
            monitor: Duration::from_secs(1),
            starts_first: false,
        },
        ..service::Spec::default()
    }
}

/// Returns where a file of a container is on the host.
fn on_host(world: &World, host: HostId, container: &str, path: &str) -> Result<String, Refusal> {
    let missing = || {
        refusal(
            404,
            format!("cannot read {path}: No such file or directory"),
        )
    };
    let container = world.engine(host).find(container).ok_or_else(missing)?;
    for mount in &container.spec.mounts {
        let inside = path.strip_prefix(&mount.target);
        let inside = inside.and_then(|rest| rest.strip_prefix('/'));
        if let Some(inside) = inside {
            let source = match mount.kind {
                MountKind::Volume => volume::mount_point(world, host, &mount.source),
                MountKind::Bind => mount.source.clone(),
                MountKind::Tmpfs => continue,
            };
            return Ok(format!("{source}/{inside}"));
        }
    }
    Err(missing())
}

fn read(
    world: &mut World,
    host: HostId,
    container: &str,
    path: &str,
    now: Duration,
) -> Result<Payload, Refusal> {
    let path = on_host(world, host, container, path)?;
    let content = disk(world, host, now).read(&path);
    content
        .map(Payload)
        .map_err(|errno| refusal(404, format!("cannot read {path}: {errno}")))
}
