//! How a task comes to run, and how it ends.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::Rng as _;

use super::reconcile;
use super::service::{Service, Task, TaskState};
use crate::engine::container::{self, Restart};
use crate::engine::image::Reference;
use crate::engine::queue::Event;
use crate::engine::{Refusal, lifecycle, process, pull};
use crate::process::Signal;
use crate::world::{HostId, World};

/// Changes a task; returns what it was.
fn change(world: &mut World, swarm: usize, id: &str, state: TaskState, now: Duration) {
    if let Some(task) = world.swarm_mut(swarm).tasks.get_mut(id) {
        task.state = state;
        task.since = now;
    }
}

/// Returns the host of a task, where its engine takes part.
fn host_of(world: &World, swarm: usize, task: &Task) -> Option<HostId> {
    let node = world.swarm(swarm).nodes.get(task.node.as_ref()?)?;
    let is_member =
        world.engine(node.host).membership.is_some() && world.engine(node.host).is_running;
    (is_member && node.silent_since.is_none()).then_some(node.host)
}

/// Lets a task go on: to its image, its container, its process.
pub(crate) fn go_on(world: &mut World, swarm: usize, id: &str, now: Duration) {
    let state = world.swarm(swarm);
    let Some(task) = state.tasks.get(id).cloned() else {
        return;
    };
    if task.state.is_over() || task.state == TaskState::Running {
        return;
    }
    let Some(service) = state.services.get(&task.service).cloned() else {
        change(world, swarm, id, TaskState::Shutdown, now);
        return;
    };
    let Some(host) = host_of(world, swarm, &task) else {
        // Its node is silent: it goes on when that is back.
        later(world, swarm, id, now + Duration::from_secs(2));
        return;
    };
    match task.state {
        TaskState::Assigned => prepare(world, swarm, host, &task, now),
        TaskState::Preparing => make(world, swarm, host, &task, &service, now),
        TaskState::Starting => {
            change(world, swarm, id, TaskState::Running, now);
            if let Some(container) = task.container.as_deref() {
                // A container that is gone by now has ended.
                let started = lifecycle::start(world, host, container, now);
                if let Err(refusal) = started {
                    fail(world, swarm, id, TaskState::Failed, &refusal, now);
                }
            }
            if service
                .update
                .as_ref()
                .is_some_and(|one| one.completed.is_none())
            {
                reconcile::at(world, swarm, now + service.spec.update.monitor);
            }
        }
        _ => {}
    }
}

fn later(world: &mut World, swarm: usize, id: &str, at: Duration) {
    let task = id.to_owned();
    world.engines.queue.put(at, Event::Task { swarm, task });
}

/// Pulls the image of a task; one that is there will do where that fails.
fn prepare(world: &mut World, swarm: usize, host: HostId, task: &Task, now: Duration) {
    let has_image = world.engine(host).images.find(&task.image).is_some();
    let quick = Duration::from_millis(200);
    let wait = if has_image {
        quick
    } else {
        match Reference::parse(&task.image) {
            Ok(reference) => pull::plan(world, host, &reference, None).took(),
            Err(_) => quick,
        }
    };
    change(world, swarm, &task.id, TaskState::Preparing, now);
    later(world, swarm, &task.id, now + wait);
}

/// Makes the container of a task.
fn make(
    world: &mut World,
    swarm: usize,
    host: HostId,
    task: &Task,
    service: &Service,
    now: Duration,
) {
    if world.engine(host).images.find(&task.image).is_none()
        && let Ok(reference) = Reference::parse(&task.image)
    {
        // Where it cannot be had, the container cannot be made, and that is what is told.
        let _ = pull::at_once(world, host, &reference, None, now);
    }
    let name = task.name(&service.spec.name);
    let spec = container_spec(world, swarm, task, service);
    let made = lifecycle::create(world, host, Some(&name), spec, now);
    match made {
        Ok(container) => {
            lifecycle::change(world, host, &container, |one| {
                one.task = Some(task.id.clone())
            });
            if let Some(task) = world.swarm_mut(swarm).tasks.get_mut(&task.id) {
                task.container = Some(container);
            }
            change(world, swarm, &task.id, TaskState::Starting, now);
            let wait = Duration::from_millis(world.rng.random_range(400..1_200));
            later(world, swarm, &task.id, now + wait);
        }
        Err(refusal) => {
            fail(world, swarm, &task.id, TaskState::Rejected, &refusal, now);
        }
    }
}

fn fail(
    world: &mut World,
    swarm: usize,
    id: &str,
    state: TaskState,
    refusal: &Refusal,
    now: Duration,
) {
    change(world, swarm, id, state, now);
    if let Some(task) = world.swarm_mut(swarm).tasks.get_mut(id) {
        task.error.clone_from(&refusal.message);
    }
    reconcile::at(world, swarm, now + Duration::from_secs(5));
}

fn container_spec(world: &World, swarm: usize, task: &Task, service: &Service) -> container::Spec {
    let spec = &service.spec;
    let state = world.swarm(swarm);
    let node = task.node.as_ref().and_then(|id| state.nodes.get(id));
    let mut labels = spec.container_labels.clone();
    labels.extend(BTreeMap::from([
        (
            "com.docker.swarm.node.id".to_owned(),
            task.node.clone().unwrap_or_default(),
        ),
        ("com.docker.swarm.service.id".to_owned(), service.id.clone()),
        (
            "com.docker.swarm.service.name".to_owned(),
            spec.name.clone(),
        ),
        ("com.docker.swarm.task".to_owned(), String::new()),
        ("com.docker.swarm.task.id".to_owned(), task.id.clone()),
        (
            "com.docker.swarm.task.name".to_owned(),
            task.name(&spec.name),
        ),
    ]));
    let filled = |text: &String| {
        let host_name = node.map_or("", |node| node.host_name.as_str());
        text.replace("{{.Node.Hostname}}", host_name)
            .replace("{{.Node.ID}}", task.node.as_deref().unwrap_or_default())
            .replace("{{.Service.Name}}", &spec.name)
            .replace("{{.Task.Slot}}", &task.slot.unwrap_or_default().to_string())
    };
    container::Spec {
        image: task.image.clone(),
        entrypoint: (!spec.command.is_empty()).then(|| spec.command.clone()),
        command: spec.arguments.clone(),
        environment: spec.environment.iter().map(filled).collect(),
        labels,
        mounts: spec.mounts.clone(),
        network: spec
            .networks
            .first()
            .cloned()
            .unwrap_or_else(|| "default".to_owned()),
        restart: Restart::No,
        ..container::Spec::default()
    }
}

/// Ends a task that should not run any more.
pub(crate) fn stop(world: &mut World, swarm: usize, id: &str, now: Duration) {
    let Some(task) = world.swarm_mut(swarm).tasks.get_mut(id) else {
        return;
    };
    task.should_run = false;
    let task = task.clone();
    let node = task
        .node
        .as_ref()
        .and_then(|id| world.swarm(swarm).nodes.get(id));
    let is_known = node.is_some();
    let host = host_of(world, swarm, &task);
    if let (Some(host), Some(container)) = (host, task.container.as_deref()) {
        let is_gone = !world.engine(host).containers.contains_key(container);
        let outlives = !is_gone && process::is_program(world, host, container);
        if outlives {
            end_in_time(world, host, container, now);
        }
        if !is_gone && !outlives {
            let status = lifecycle::exit_by_term(world, host, container);
            // What is gone needs no end.
            let _ = lifecycle::end(world, host, container, status, now);
            let how = lifecycle::Removal {
                is_forced: true,
                with_volumes: true,
            };
            let _ = lifecycle::remove(world, host, container, how, now);
        }
    }
    if host.is_some() || !is_known || task.container.is_none() {
        change(world, swarm, id, TaskState::Shutdown, now);
        reconcile::soon(world, swarm, now);
    }
}

/// Asks a container to end; it is gone when it has had its time for that.
fn end_in_time(world: &mut World, host: HostId, id: &str, now: Duration) {
    lifecycle::change(world, host, id, |one| one.state.was_stopped = true);
    let wait = lifecycle::time_to_end(world, host, id, lifecycle::GRACE);
    process::signal(world, host, id, Signal::TERM.0);
    let event = Event::Gone {
        host,
        container: id.to_owned(),
    };
    world.engines.queue.put(now + wait, event);
}

/// Takes note that the container of a task has ended.
pub(crate) fn container_ended(
    world: &mut World,
    host: HostId,
    id: &str,
    status: u8,
    now: Duration,
) {
    let Some(swarm) = world.engine(host).membership.as_ref().map(|one| one.swarm) else {
        return;
    };
    let Some(task) = world.swarm_mut(swarm).tasks.get_mut(id) else {
        return;
    };
    if task.state.is_over() {
        return;
    }
    task.exit_code = status;
    task.since = now;
    task.state = match (task.should_run, status) {
        (false, _) => TaskState::Shutdown,
        (true, 0) => TaskState::Complete,
        (true, _) => TaskState::Failed,
    };
    if task.state == TaskState::Failed {
        task.error = format!("task: non-zero exit ({status})");
    }
    reconcile::soon(world, swarm, now);
}

/// Ends all tasks of a host that leaves, and removes their containers.
pub(crate) fn clear_host(world: &mut World, host: HostId, swarm: usize, now: Duration) {
    let containers = world.engine(host).containers.values();
    let of_tasks = containers.filter_map(|one| Some((one.id.clone(), one.task.clone()?)));
    for (container, task) in of_tasks.collect::<Vec<_>>() {
        change(world, swarm, &task, TaskState::Shutdown, now);
        let how = lifecycle::Removal {
            is_forced: true,
            with_volumes: true,
        };
        // It was there a line ago.
        let _ = lifecycle::remove(world, host, &container, how, now);
    }
}
