//! What can be done with containers.

use std::collections::BTreeMap;
use std::time::Duration;

use super::container::{Container, MountKind, Restart, Spec, State, Status, Stream};
use super::disk::{cannot, disk};
use super::image::{Behaviour, Reference};
use super::queue::Event;
use super::volume::{self, Volume};
use super::{Refusal, mke, msr, names, process, refusal, show, swarm};
use crate::process::Signal;
use crate::world::{HostId, World};

/// How long a process that does not listen to SIGTERM may go on.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// How long a process takes to end that listens.
const ENDING: Duration = Duration::from_millis(300);

/// Finds a container.
pub(crate) fn find<'a>(
    world: &'a World,
    host: HostId,
    text: &str,
) -> Result<&'a Container, Refusal> {
    let found = world.engine(host).find(text);
    found.ok_or_else(|| refusal(404, format!("No such container: {text}")))
}

/// Makes a container; returns its id.
pub(crate) fn create(
    world: &mut World,
    host: HostId,
    name: Option<&str>,
    spec: Spec,
    now: Duration,
) -> Result<String, Refusal> {
    let engine = world.engine(host);
    let Some(local) = engine.images.find(&spec.image) else {
        let shown = Reference::parse(&spec.image);
        let shown = shown.map_or_else(|_| spec.image.clone(), |name| name.to_string());
        return Err(refusal(404, format!("No such image: {shown}")));
    };
    let image_id = local.image.id.clone();
    let mut labels = local.image.labels.clone();
    labels.extend(spec.labels);
    let spec = Spec { labels, ..spec };
    let id = names::hex(&mut world.rng, 32);
    let name = match name {
        Some(name) => check_name(world, host, name)?,
        None => free_name(world, host),
    };
    for mount in &spec.mounts {
        if mount.kind == MountKind::Volume {
            let volume = Volume {
                name: mount.source.clone(),
                labels: BTreeMap::new(),
                created: now,
                is_anonymous: mount.source.len() == 64,
            };
            volume::create(world, host, volume, now)?;
        }
    }
    let kept = disk(world, host, now).keep_container(&id);
    kept.map_err(|errno| {
        let root = &world.engine(host).settings.data_root;
        let path = format!("mkdir {root}/overlay2/{id}");
        refusal(500, cannot(&path, errno))
    })?;
    let container = Container {
        id: id.clone(),
        name,
        image_id,
        spec,
        created: now,
        state: State::default(),
        log: Vec::new(),
        task: None,
        inside: None,
    };
    world
        .engine_mut(host)
        .containers
        .insert(id.clone(), container);
    world.touch(host);
    Ok(id)
}

fn check_name(world: &World, host: HostId, name: &str) -> Result<String, Refusal> {
    let name = name.strip_prefix('/').unwrap_or(name);
    let is_good = |one: char| one.is_ascii_alphanumeric() || "_.-".contains(one);
    if name.len() < 2 || !name.chars().all(is_good) || name.starts_with(['.', '-', '_']) {
        return Err(refusal(
            400,
            format!("Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"),
        ));
    }
    let containers = world.engine(host).containers.values();
    let holder = containers.into_iter().find(|one| one.name == name);
    match holder {
        None => Ok(name.to_owned()),
        Some(holder) => Err(refusal(
            409,
            format!(
                "Conflict. The container name \"/{name}\" is already in use by container \"{}\". \
                 You have to remove (or rename) that container to be able to reuse that name.",
                holder.id
            ),
        )),
    }
}

fn free_name(world: &mut World, host: HostId) -> String {
    loop {
        let name = names::container_name(&mut world.rng);
        if check_name(world, host, &name).is_ok() {
            return name;
        }
    }
}

/// Gives a container another name.
pub(crate) fn rename(
    world: &mut World,
    host: HostId,
    text: &str,
    name: &str,
) -> Result<(), Refusal> {
    let id = find(world, host, text)?.id.clone();
    let name = check_name(world, host, name)?;
    change(world, host, &id, |container| container.name = name);
    Ok(())
}

/// Changes a container, and lets agents know.
pub(crate) fn change<T>(
    world: &mut World,
    host: HostId,
    id: &str,
    work: impl FnOnce(&mut Container) -> T,
) -> Option<T> {
    let result = world.engine_mut(host).containers.get_mut(id).map(work);
    world.touch(host);
    result
}

/// Starts the process of a container; one that runs goes on.
pub(crate) fn start(
    world: &mut World,
    host: HostId,
    text: &str,
    now: Duration,
) -> Result<(), Refusal> {
    let container = find(world, host, text)?;
    let id = container.id.clone();
    match container.state.status {
        Status::Running => return Ok(()),
        Status::Paused => {
            return Err(refusal(
                409,
                "cannot start a paused container, try unpause instead",
            ));
        }
        Status::Created | Status::Restarting | Status::Exited => {}
    }
    let image = container.image_id.clone();
    let planned = free_ports(world, host, &id);
    let planned = planned.and_then(|()| process::plan(world, host, &id, now));
    let program = planned.inspect_err(|refusal| {
        change(world, host, &id, |container| {
            container.state.exit_code = refusal_status(&refusal.message);
            refusal.message.clone_into(&mut container.state.error);
        });
    })?;
    change(world, host, &id, |container| {
        let state = &mut container.state;
        state.status = Status::Running;
        state.started = Some(now);
        state.was_stopped = false;
        state.exit_code = 0;
        state.error.clear();
        state.run += 1;
    });
    let behaviour = world
        .engine(host)
        .images
        .find(&image)
        .map_or(Behaviour::Stays, |local| local.image.behaviour);
    match program {
        Some(program) => process::launch(world, host, &id, program),
        None => run(world, host, &id, behaviour, now),
    }
    Ok(())
}

/// Returns the status that tells why a container could not be started: as that of a shell, where a
/// program is missing or may not be run (`docker run`, "Exit status").
pub(crate) fn refusal_status(message: &str) -> u8 {
    let has = |text: &str| message.contains(text);
    match has("executable file not found") || has("no such file or directory") {
        true => 127,
        false if has("permission denied") || has("is a directory") => 126,
        false => 128,
    }
}

/// Fails where a port of the host belongs to another container already.
fn free_ports(world: &mut World, host: HostId, id: &str) -> Result<(), Refusal> {
    let container = find(world, host, id)?;
    let name = container.name.clone();
    let others = world.engine(host).containers.values();
    let others = others.filter(|one| one.id != id && one.state.status.is_alive());
    let taken: Vec<&String> = others
        .flat_map(|one| one.spec.ports.iter().map(|(outer, _)| outer))
        .collect();
    let mut wanted = container.spec.ports.iter().map(|(outer, _)| outer);
    let Some(port) = wanted.find(|port| taken.contains(port)).cloned() else {
        return Ok(());
    };
    let endpoint = names::hex(&mut world.rng, 32);
    Err(refusal(
        500,
        format!(
            "driver failed programming external connectivity on endpoint {name} ({endpoint}): Bind \
             for 0.0.0.0:{port} failed: port is already allocated"
        ),
    ))
}

/// Sets the process of a container going.
fn run(world: &mut World, host: HostId, id: &str, behaviour: Behaviour, now: Duration) {
    match behaviour {
        Behaviour::Mke => mke::launch(world, host, id, now),
        Behaviour::Msr => msr::launch(world, host, id, now),
        Behaviour::Stays => {}
        Behaviour::Greets => {
            print(world, host, id, now, Stream::Out, GREETING);
            end_after(world, host, id, Duration::from_millis(50), 0, now);
        }
        // It is a program.
        Behaviour::Shell => {}
    }
}

/// The begin of what the real image prints.
const GREETING: &str = "\nHello from Docker!\nThis message shows that your installation appears to \
                        be working correctly.\n";

fn print(world: &mut World, host: HostId, id: &str, now: Duration, stream: Stream, text: &str) {
    change(world, host, id, |container| {
        for line in text.trim_end_matches('\n').split('\n') {
            container.print(now, stream, line);
        }
    });
}

fn end_after(
    world: &mut World,
    host: HostId,
    id: &str,
    after: Duration,
    status: u8,
    now: Duration,
) {
    let Some(container) = world.engine(host).containers.get(id) else {
        return;
    };
    let event = Event::Ended {
        host,
        container: id.to_owned(),
        run: container.state.run,
        status,
    };
    world.engines.queue.put(now + after, event);
}

/// Returns the words that a container runs.
pub(crate) fn argv(world: &World, host: HostId, container: &Container) -> Vec<String> {
    let spec = &container.spec;
    let local = world.engine(host).images.find(&container.image_id);
    let of_image = local.map(|local| (&local.image.entrypoint, &local.image.command));
    let mut words = match (&spec.entrypoint, of_image) {
        (Some(entrypoint), _) => entrypoint.clone(),
        (None, Some((entrypoint, _))) => entrypoint.clone(),
        (None, None) => Vec::new(),
    };
    match (
        spec.command.is_empty() && spec.entrypoint.is_none(),
        of_image,
    ) {
        (true, Some((_, command))) => words.extend(command.iter().cloned()),
        _ => words.extend(spec.command.iter().cloned()),
    }
    words
}

/// Takes note that the process of a container has ended.
pub(crate) fn ended(
    world: &mut World,
    host: HostId,
    id: &str,
    run: u32,
    status: u8,
    now: Duration,
) {
    let Some(container) = world.engine(host).containers.get(id) else {
        return;
    };
    if container.state.run != run || !container.state.status.is_alive() {
        return;
    }
    if container.state.status == Status::Paused {
        // It goes on when it is let go; then it ends.
        let event = Event::Ended {
            host,
            container: id.to_owned(),
            run,
            status,
        };
        world.engines.queue.put(now + Duration::from_secs(1), event);
        return;
    }
    mke::drop_actor(world, host, id);
    let task = container_task(world, host, id);
    let again = change(world, host, id, |container| {
        let state = &mut container.state;
        state.status = Status::Exited;
        state.finished = Some(now);
        state.exit_code = status;
        let again = match container.spec.restart {
            _ if state.was_stopped => false,
            Restart::No => false,
            Restart::Always | Restart::UnlessStopped => true,
            Restart::OnFailure(times) => status != 0 && (times == 0 || state.restarts < times),
        };
        if again {
            state.status = Status::Restarting;
            state.restarts += 1;
        }
        let wait = Duration::from_millis(100) * 2_u32.pow(state.restarts.min(9));
        again.then(|| wait.min(Duration::from_secs(60)))
    });
    if let Some(Some(wait)) = again {
        let event = Event::Restart {
            host,
            container: id.to_owned(),
            run,
        };
        world.engines.queue.put(now + wait, event);
        return;
    }
    if let Some(task) = task {
        swarm::tasks::container_ended(world, host, &task, status, now);
    }
    let removes_itself = world.engine(host).containers.get(id);
    if removes_itself.is_some_and(|one| one.spec.removes_itself) {
        forget(world, host, id, true, now);
    }
}

fn container_task(world: &World, host: HostId, id: &str) -> Option<String> {
    world.engine(host).containers.get(id)?.task.clone()
}

/// Returns how long a container takes to end when it is asked to, at most `grace`.
pub(crate) fn time_to_end(world: &World, host: HostId, id: &str, grace: Duration) -> Duration {
    let Some(container) = world.engine(host).containers.get(id) else {
        return Duration::ZERO;
    };
    match container.state.status {
        Status::Created | Status::Exited | Status::Restarting => Duration::ZERO,
        // The first process does not listen to SIGTERM unless it says so.
        _ if process::is_program(world, host, id)
            && !process::catches(world, host, id, Signal::TERM) =>
        {
            grace
        }
        _ => ENDING.min(grace),
    }
}

/// Ends the process of a container.
///
/// It is over at once: whoever asks for it gently has waited [`time_to_end`] before.
pub(crate) fn end(
    world: &mut World,
    host: HostId,
    text: &str,
    status: u8,
    now: Duration,
) -> Result<(), Refusal> {
    let container = find(world, host, text)?;
    let (id, run) = (container.id.clone(), container.state.run);
    let is_alive = container.state.status.is_alive();
    change(world, host, &id, |container| {
        container.state.was_stopped = true;
        if container.state.status.is_alive() {
            container.state.status = Status::Running;
        }
    });
    if is_alive {
        process::kill_all(world, host, &id);
        ended(world, host, &id, run, status, now);
    }
    Ok(())
}

/// Sends a signal: one that ends a process ends it.
pub(crate) fn kill(
    world: &mut World,
    host: HostId,
    text: &str,
    signal: u8,
    now: Duration,
) -> Result<(), Refusal> {
    let missing = |found: Refusal| {
        let message = format!("Cannot kill container: {text}: {}", found.message);
        refusal(404, message)
    };
    let container = find(world, host, text).map_err(missing)?;
    if !container.state.status.is_alive() {
        let message = format!(
            "cannot kill container: {text}: container {} is not running",
            container.id
        );
        return Err(refusal(409, message));
    }
    let id = container.id.clone();
    if signal != 9 && process::is_program(world, host, &id) {
        process::signal(world, host, &id, signal);
        return Ok(());
    }
    match signal {
        // A process that is told to read its settings again goes on.
        1 | 10 | 12 => Ok(()),
        9 => end(world, host, &id, 137, now),
        15 => end(world, host, &id, exit_by_term(world, host, &id), now),
        other => end(world, host, &id, 128_u8.saturating_add(other), now),
    }
}

/// Returns the status with which a container ends by SIGTERM: MKE ends well, a program
/// that does not listen has to be killed.
pub(crate) fn exit_by_term(world: &World, host: HostId, id: &str) -> u8 {
    let listens =
        !process::is_program(world, host, id) || process::catches(world, host, id, Signal::TERM);
    if listens { 0 } else { 137 }
}

/// Holds the process of a container, or lets it go on.
pub(crate) fn pause(
    world: &mut World,
    host: HostId,
    text: &str,
    holds: bool,
    now: Duration,
) -> Result<(), Refusal> {
    let container = find(world, host, text)?;
    let id = container.id.clone();
    match (container.state.status, holds) {
        (Status::Running, true) => {
            change(world, host, &id, |one| one.state.status = Status::Paused);
            process::signal_all(world, host, &id, Signal::STOP);
            Ok(())
        }
        (Status::Paused, false) => {
            change(world, host, &id, |one| one.state.status = Status::Running);
            process::signal_all(world, host, &id, Signal::CONT);
            mke::resume(world, host, &id, now);
            Ok(())
        }
        (Status::Paused, true) => Err(refusal(409, format!("Container {id} is already paused"))),
        (_, true) => Err(refusal(409, format!("Container {id} is not running"))),
        (_, false) => Err(refusal(500, format!("Container {id} is not paused"))),
    }
}

/// Removes a container.
pub(crate) fn remove(
    world: &mut World,
    host: HostId,
    text: &str,
    how: Removal,
    now: Duration,
) -> Result<(), Refusal> {
    let container = find(world, host, text)?;
    let (id, status) = (container.id.clone(), container.state.status);
    if status.is_alive() {
        if !how.is_forced {
            let (state, advice) = match status {
                Status::Paused => ("paused", "Unpause and then stop the container"),
                _ => ("running", "Stop the container"),
            };
            if show::info::major(&world.engine(host).version) < 25 {
                let advice = match status {
                    Status::Paused => "Unpause and then stop",
                    _ => "Stop",
                };
                return Err(refusal(
                    409,
                    format!(
                        "You cannot remove a {state} container {id}. {advice} the container before \
                         attempting removal or force remove"
                    ),
                ));
            }
            return Err(refusal(
                409,
                format!(
                    "cannot remove container \"/{}\": container is {state}: {} before \
                     removing or force remove",
                    container.name,
                    advice.to_lowercase()
                ),
            ));
        }
        end(world, host, &id, 137, now)?;
    }
    forget(world, host, &id, how.with_volumes, now);
    Ok(())
}

/// How a container is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Removal {
    /// Also where it runs.
    pub(crate) is_forced: bool,
    /// With the volumes that have no name.
    pub(crate) with_volumes: bool,
}

fn forget(world: &mut World, host: HostId, id: &str, with_volumes: bool, now: Duration) {
    mke::drop_actor(world, host, id);
    process::kill_all(world, host, id);
    let Some(container) = world.engine_mut(host).containers.remove(id) else {
        return;
    };
    if let Some(inside) = container.inside {
        world.insides.remove(inside);
    }
    disk(world, host, now).forget_container(id);
    world.touch(host);
    if with_volumes {
        for mount in container.spec.mounts {
            let volumes = &world.engine(host).volumes;
            if volumes
                .get(&mount.source)
                .is_some_and(|one| one.is_anonymous)
            {
                // Somebody else may use it; then it stays.
                let _ = volume::remove(world, host, &mount.source, true, now);
            }
        }
    }
}
