//! Which tasks there should be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::Rng as _;

use super::node::Availability;
use super::service::{Restart, Service, Task, TaskState, Update};
use super::tasks;
use crate::engine::queue::Event;
use crate::engine::{lifecycle, names};
use crate::world::{HostId, World};

/// How long a swarm takes to see that something has changed.
const SOON: Duration = Duration::from_millis(150);

/// Has a swarm look at what should run, soon.
pub(crate) fn soon(world: &mut World, swarm: usize, now: Duration) {
    let state = world.swarm_mut(swarm);
    if !std::mem::replace(&mut state.is_reconciling, true) {
        at(world, swarm, now + SOON);
    }
}

/// Has a swarm look at what should run at a time.
pub(crate) fn at(world: &mut World, swarm: usize, at: Duration) {
    world.engines.queue.put(at, Event::Reconcile { swarm });
}

/// Looks at what should run, and sets it going.
pub(crate) fn run(world: &mut World, swarm: usize, now: Duration) {
    let state = world.swarm_mut(swarm);
    state.is_reconciling = false;
    if state.leader.is_none() {
        // The next leader looks.
        return;
    }
    stop_unwanted(world, swarm, now);
    let services: Vec<Service> = world.swarm(swarm).services.values().cloned().collect();
    for service in services {
        roll(world, swarm, &service, now);
        match service.spec.replicas {
            None => fill_nodes(world, swarm, &service, now),
            Some(count) => fill_slots(world, swarm, &service, count, now),
        }
    }
    for (host, container) in forget_old(world, swarm) {
        let how = lifecycle::Removal {
            is_forced: true,
            with_volumes: true,
        };
        // One that is gone already needs no end.
        let _ = lifecycle::remove(world, host, &container, how, now);
    }
}

/// Ends the tasks that should not run: of services that are gone, on nodes that may not have them.
fn stop_unwanted(world: &mut World, swarm: usize, now: Duration) {
    let state = world.swarm(swarm);
    let unwanted = state.tasks.values().filter(|task| {
        let node = task.node.as_ref().and_then(|id| state.nodes.get(id));
        let keeps = match (state.services.get(&task.service), node) {
            (Some(service), Some(node)) => {
                node.availability == Availability::Pause || service.fits(node)
            }
            (Some(_), None) => task.node.is_none(),
            (None, _) => false,
        };
        !(task.state.is_over() || task.should_run && keeps)
    });
    let unwanted: Vec<String> = unwanted.map(|task| task.id.clone()).collect();
    for task in unwanted {
        tasks::stop(world, swarm, &task, now);
    }
}

/// Replaces tasks of an older specification, a few at a time.
fn roll(world: &mut World, swarm: usize, service: &Service, now: Duration) {
    let Some(update) = service
        .update
        .clone()
        .filter(|update| update.completed.is_none())
    else {
        return;
    };
    let state = world.swarm(swarm);
    let rolling = service.spec.update;
    let of_service = |task: &&Task| task.service == service.id && task.should_run;
    let is_there = |task: &&Task| {
        let node = task.node.as_ref().and_then(|id| state.nodes.get(id));
        node.is_some_and(|node| node.is_ready(now))
    };
    let tasks: Vec<&Task> = state
        .tasks
        .values()
        .filter(of_service)
        .filter(is_there)
        .collect();
    let old: Vec<String> = tasks
        .iter()
        .filter(|task| task.generation < service.generation && !task.state.is_over())
        .map(|task| task.id.clone())
        .collect();
    let settled =
        |task: &&&Task| task.state == TaskState::Running && now >= task.since + rolling.monitor;
    let new: Vec<&&Task> = tasks
        .iter()
        .filter(|task| task.generation == service.generation)
        .collect();
    let unsettled = new.iter().filter(|task| !settled(task)).count();
    if old.is_empty() {
        let has_all = tasks.len() >= state.replicas(service, now).1;
        if unsettled == 0 && has_all {
            finish(world, swarm, service, now);
        } else {
            at(
                world,
                swarm,
                now + rolling.monitor.min(Duration::from_secs(1)),
            );
        }
        return;
    }
    let parallel = match rolling.parallelism {
        0 => usize::MAX,
        parallel => parallel,
    };
    let free = parallel.saturating_sub(unsettled);
    if free == 0 || now < update.next {
        at(world, swarm, now + Duration::from_secs(1));
        return;
    }
    for task in old.iter().take(free) {
        tasks::stop(world, swarm, task, now);
    }
    let next = now + rolling.delay;
    if let Some(service) = world.swarm_mut(swarm).services.get_mut(&service.id) {
        service.update = Some(Update { next, ..update });
    }
    at(world, swarm, now + Duration::from_secs(1));
}

fn finish(world: &mut World, swarm: usize, service: &Service, now: Duration) {
    let services = &mut world.swarm_mut(swarm).services;
    let update = services
        .get_mut(&service.id)
        .and_then(|one| one.update.as_mut());
    if let Some(update) = update {
        update.completed = Some(now);
    }
}

/// Returns whether a task that is over is not to be replaced, or only later.
fn holds_back(service: &Service, last: &Task, now: Duration) -> Option<Duration> {
    let never = Duration::MAX;
    if last.generation < service.generation {
        return None;
    }
    let wait = match (last.state, service.spec.restart) {
        (TaskState::Complete | TaskState::Failed | TaskState::Rejected, Restart::None)
        | (TaskState::Complete, Restart::OnFailure) => return Some(never),
        (TaskState::Complete | TaskState::Failed | TaskState::Rejected, _) => {
            last.since + service.spec.restart_delay
        }
        _ => return None,
    };
    (wait > now).then_some(wait)
}

/// Gives every node that should have a task one.
fn fill_nodes(world: &mut World, swarm: usize, service: &Service, now: Duration) {
    let state = world.swarm(swarm);
    let mut last: BTreeMap<&str, &Task> = BTreeMap::new();
    let mut busy = BTreeSet::new();
    for task in state
        .tasks
        .values()
        .filter(|task| task.service == service.id)
    {
        let Some(node) = task.node.as_deref() else {
            continue;
        };
        if !task.state.is_over() {
            busy.insert(node);
        }
        let newest = last.entry(node).or_insert(task);
        if task.created >= newest.created {
            *newest = task;
        }
    }
    let mut wanted = Vec::new();
    let mut later = None;
    for node in state.nodes.values() {
        if busy.contains(node.id.as_str()) || !service.wants(node, now) {
            continue;
        }
        if node.availability != Availability::Active {
            continue;
        }
        match last
            .get(node.id.as_str())
            .and_then(|last| holds_back(service, last, now))
        {
            None => wanted.push(node.id.clone()),
            Some(wait) if wait < Duration::MAX => later = later.max(Some(wait)),
            Some(_) => {}
        }
    }
    if let Some(later) = later {
        at(world, swarm, later);
    }
    for node in wanted {
        add(world, swarm, service, Some(node), None, now);
    }
}

/// Gives every number of a service a task, on the nodes with the fewest of them.
fn fill_slots(world: &mut World, swarm: usize, service: &Service, count: u64, now: Duration) {
    for slot in 1..=count {
        let state = world.swarm(swarm);
        let of_slot = |task: &&Task| task.service == service.id && task.slot == Some(slot);
        let tasks: Vec<&Task> = state.tasks.values().filter(of_slot).collect();
        let is_lost = |task: &&&Task| {
            let node = task.node.as_ref().and_then(|id| state.nodes.get(id));
            node.is_none_or(|node| node.state(now) == "down")
        };
        let lives = |task: &&&Task| task.should_run && !task.state.is_over() && !is_lost(task);
        if tasks.iter().any(|task| lives(&task)) {
            continue;
        }
        let newest = tasks.iter().max_by_key(|task| task.created);
        if let Some(wait) = newest.and_then(|task| holds_back(service, task, now)) {
            if wait < Duration::MAX {
                at(world, swarm, wait);
            }
            continue;
        }
        let mut load: BTreeMap<&str, usize> = BTreeMap::new();
        for task in state.tasks.values().filter(|task| !task.state.is_over()) {
            *load
                .entry(task.node.as_deref().unwrap_or_default())
                .or_default() += 1;
        }
        let nodes = state
            .nodes
            .values()
            .filter(|node| service.wants(node, now) && node.availability == Availability::Active);
        let node = nodes.min_by_key(|node| load.get(node.id.as_str()).copied().unwrap_or(0));
        if let Some(node) = node.map(|node| node.id.clone()) {
            add(world, swarm, service, Some(node), Some(slot), now);
        }
    }
    let state = world.swarm(swarm);
    let surplus: Vec<String> = state
        .tasks
        .values()
        .filter(|task| task.service == service.id && task.slot.is_some_and(|slot| slot > count))
        .filter(|task| !task.state.is_over())
        .map(|task| task.id.clone())
        .collect();
    for task in surplus {
        tasks::stop(world, swarm, &task, now);
    }
}

fn add(
    world: &mut World,
    swarm: usize,
    service: &Service,
    node: Option<String>,
    slot: Option<u64>,
    now: Duration,
) {
    let id = names::swarm_id(&mut world.rng);
    let delay = Duration::from_millis(world.rng.random_range(100..900));
    let task = Task {
        id: id.clone(),
        service: service.id.clone(),
        node,
        slot,
        generation: service.generation,
        image: service.spec.image.clone(),
        should_run: true,
        state: TaskState::Assigned,
        since: now,
        created: now,
        error: String::new(),
        container: None,
        exit_code: 0,
    };
    world.swarm_mut(swarm).tasks.insert(id.clone(), task);
    let event = Event::Task { swarm, task: id };
    world.engines.queue.put(now + delay, event);
}

/// Forgets tasks that are over, but for the last few of each place; returns their containers.
fn forget_old(world: &mut World, swarm: usize) -> Vec<(HostId, String)> {
    let mut containers = Vec::new();
    let state = world.swarm_mut(swarm);
    let limit = usize::try_from(state.settings.history_limit).unwrap_or(usize::MAX);
    let mut over: BTreeMap<_, Vec<(Duration, String)>> = BTreeMap::new();
    for task in state.tasks.values().filter(|task| task.state.is_over()) {
        let node = task.node.clone().filter(|_| task.slot.is_none());
        let place = (task.service.clone(), node, task.slot);
        over.entry(place)
            .or_default()
            .push((task.created, task.id.clone()));
    }
    for ((service, ..), mut tasks) in over {
        let keeps = if state.services.contains_key(&service) {
            limit
        } else {
            0
        };
        tasks.sort();
        let surplus = tasks.len().saturating_sub(keeps);
        for (_, id) in tasks.into_iter().take(surplus) {
            let task = state.tasks.remove(&id);
            let node = task
                .as_ref()
                .and_then(|task| state.nodes.get(task.node.as_ref()?));
            let container = task.as_ref().and_then(|task| task.container.clone());
            containers.extend(node.map(|node| node.host).zip(container));
        }
    }
    containers
}
