//! Starting and stopping engines.

use std::time::Duration;

use super::container::{Restart, Status};
use super::disk::{cannot, disk};
use super::settings::{self, Settings};
use super::swarm::raft;
use super::volume::Volume;
use super::{lifecycle, links, mke, names, network, process};
use crate::world::{HostId, World};

/// How an engine comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Halt {
    /// It is asked to.
    Asked,
    /// It is killed; its containers go on.
    Killed,
    /// Its host has no power any more.
    PowerCut,
}

/// Starts the engine of a host, in the version that is installed.
///
/// # Errors
///
/// Returns what dockerd says where it does not come up.
pub(crate) fn start(
    world: &mut World,
    host: HostId,
    version: &str,
    now: Duration,
) -> Result<(), String> {
    if world.engine(host).is_running {
        return Ok(());
    }
    let text = world.hosts[host.0].files.text(settings::PATH);
    let settings = Settings::parse(text.as_deref().unwrap_or_default())?;
    let root = settings.data_root.clone();
    let engine = world.engine_mut(host);
    engine.settings = settings;
    version.clone_into(&mut engine.version);
    forget_what_is_gone(world, host, now);
    let is_old = super::show::info::major(version) < 24;
    let laid_out = disk(world, host, now).lay_out(is_old);
    laid_out.map_err(|errno| cannot(&format!("failed to start daemon: mkdir {root}"), errno))?;
    if world.engine(host).id.is_empty() {
        let id = names::engine_id(&mut world.rng);
        world.engine_mut(host).id = id;
    }
    if world.engine(host).networks.is_empty() {
        let networks = network::predefined(&mut world.rng, now);
        world.engine_mut(host).networks = networks;
    }
    let engine = world.engine_mut(host);
    engine.is_running = true;
    engine.hangs = false;
    engine.started = now;
    bring_back(world, host, now);
    if let Some(membership) = &mut world.engine_mut(host).membership {
        let later = now + raft::JOINING;
        membership.from = later;
        let membership = membership.clone();
        let told = world.build(version).version;
        let swarm = world.swarm_mut(membership.swarm);
        if let Some(node) = swarm.nodes.get_mut(&membership.node) {
            told.clone_into(&mut node.engine_version);
        }
        raft::look_at(world, membership.swarm, now);
        raft::soon(world, membership.swarm, later);
    }
    world.touch(host);
    Ok(())
}

/// Forgets whatever has no files any more.
fn forget_what_is_gone(world: &mut World, host: HostId, now: Duration) {
    let found = disk(world, host, now);
    let has = |part: &str| found.has(part);
    let (has_images, has_swarm) = (has("image/overlay2"), has("swarm/docker-state.json"));
    let (has_networks, volumes) = (has("network/files"), found.volumes());
    let containers = &world.engine(host).containers;
    let gone: Vec<String> = {
        let ids: Vec<String> = containers.keys().cloned().collect();
        let found = disk(world, host, now);
        let is_gone = |id: &String| !found.has(&format!("containers/{id}"));
        ids.into_iter().filter(is_gone).collect()
    };
    for id in gone {
        mke::drop_actor(world, host, &id);
        process::kill_all(world, host, &id);
        let gone = world.engine_mut(host).containers.remove(&id);
        if let Some(inside) = gone.and_then(|one| one.inside) {
            world.insides.remove(inside);
        }
    }
    let engine = world.engine_mut(host);
    if !has_images {
        engine.images.clear();
    }
    if !has_networks {
        engine.networks.clear();
    }
    engine.volumes.retain(|name, _| volumes.contains(name));
    for name in volumes {
        engine.volumes.entry(name.clone()).or_insert(Volume {
            name,
            labels: std::collections::BTreeMap::new(),
            created: now,
            is_anonymous: false,
        });
    }
    if !has_swarm && let Some(membership) = engine.membership.take() {
        raft::look_at(world, membership.swarm, now);
    }
}

/// Starts the containers again that have a policy for it; those that went on stay.
fn bring_back(world: &mut World, host: HostId, now: Duration) {
    let containers = world.engine(host).containers.values();
    let found: Vec<(String, bool, bool)> = containers
        .map(|one| {
            let was_stopped = one.state.was_stopped;
            let comes_back = match one.spec.restart {
                Restart::Always => true,
                Restart::UnlessStopped => !was_stopped,
                Restart::OnFailure(_) => !was_stopped && one.state.exit_code != 0,
                Restart::No => false,
            };
            let was_started = one.state.started.is_some();
            (
                one.id.clone(),
                one.state.status.is_alive(),
                comes_back && was_started,
            )
        })
        .collect();
    let keeps = world.engine(host).settings.live_restore;
    for (id, is_alive, comes_back) in found {
        if is_alive && keeps {
            continue;
        }
        if is_alive {
            halt_container(world, host, &id, 137, now);
        }
        if comes_back {
            // Its image may be gone; then it stays as it is.
            let _ = lifecycle::start(world, host, &id, now);
        }
    }
}

/// Ends the process of a container without its policy having a say.
fn halt_container(world: &mut World, host: HostId, id: &str, status: u8, now: Duration) {
    mke::drop_actor(world, host, id);
    process::kill_all(world, host, id);
    let task = lifecycle::change(world, host, id, |one| {
        if !one.state.status.is_alive() {
            return None;
        }
        one.state.status = Status::Exited;
        one.state.finished = Some(now);
        one.state.exit_code = status;
        one.state.run += 1;
        one.task.clone()
    });
    if let Some(Some(task)) = task {
        super::swarm::tasks::container_ended(world, host, &task, status.max(1), now);
    }
}

/// Returns how long an engine takes to end its containers.
pub(crate) fn time_to_stop(world: &World, host: HostId) -> Duration {
    let engine = world.engine(host);
    if !engine.is_running || engine.settings.live_restore {
        return Duration::from_millis(200);
    }
    let ends = engine.containers.keys();
    let ends = ends.map(|id| lifecycle::time_to_end(world, host, id, lifecycle::GRACE));
    Duration::from_millis(300) + ends.max().unwrap_or_default()
}

/// Stops the engine of a host.
///
/// It is over at once: whoever asks for it gently has waited [`time_to_stop`] before.
pub(crate) fn stop(world: &mut World, host: HostId, how: Halt, now: Duration) {
    let engine = world.engine_mut(host);
    if !engine.is_running && how != Halt::PowerCut {
        return;
    }
    engine.is_running = false;
    engine.hangs = false;
    let live_restore = engine.settings.live_restore;
    let ends = match how {
        Halt::Asked => !live_restore,
        Halt::Killed => false,
        Halt::PowerCut => true,
    };
    if ends {
        let ids: Vec<String> = world.engine(host).containers.keys().cloned().collect();
        for id in ids {
            let status = match how {
                Halt::PowerCut => 255,
                _ => lifecycle::exit_by_term(world, host, &id),
            };
            halt_container(world, host, &id, status, now);
        }
    }
    if how == Halt::PowerCut {
        links::forget(world, host);
    }
    if let Some(membership) = world.engine(host).membership.clone() {
        raft::look_at(world, membership.swarm, now);
    }
    world.touch(host);
}

/// Takes note that the network has changed: who reaches whom.
pub(crate) fn network_changed(world: &mut World, now: Duration) {
    raft::look(world, now);
}

/// Makes an engine hang, or answer again.
pub(crate) fn hang(world: &mut World, host: HostId, hangs: bool) {
    world.engine_mut(host).hangs = hangs;
}
