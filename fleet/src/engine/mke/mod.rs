//! MKE: the processes of its containers, driven over a simulated engine.
//!
//! A process is a [`Machine`] of `standin`. What it asks for takes the time of a table ([`times`]),
//! as an event; an agent that would see what it has seen already is not asked at all until
//! something changes, so that idle nodes cost nothing.
//!
//! | module | holds |
//! |---|---|
//! | [`act`] | what machines have done to the engine |
//! | [`certificate`] | authorities and certificates |
//! | [`serve`] | the HTTPS API of controllers |
//! | [`times`] | how long things take |
//! | [`view`] | what machines see of the engine |

mod act;
pub(super) mod certificate;
pub(crate) mod serve;
mod times;
mod view;

use std::collections::BTreeMap;
use std::time::Duration;

use rand::Rng as _;
use standin::command::{Operation, Seed};
use standin::engine::{Action, Part, View};
use standin::log::{Format, Line};
use standin::{Command, Environment, Input, Machine, Next};

use super::container::{Status, Stream};
use super::lifecycle;
use super::queue::Event;
use crate::world::{HostId, World};

/// The processes of MKE, by host and container.
#[derive(Debug, Default)]
pub(crate) struct Actors {
    all: BTreeMap<(HostId, String), Actor>,
}

/// A process of MKE.
struct Actor {
    machine: Machine,
    operation: Operation,
    started: Duration,
    /// Which of the container's processes it is.
    run: u32,
    seed: Seed,
    pending: Pending,
    /// What an agent has seen last.
    seen: Option<View>,
    /// Whether it has done something since then.
    has_acted: bool,
    /// Whether no event is there for it.
    is_dormant: bool,
    /// What a controller serves.
    serving: Option<serve::Serving>,
}

impl std::fmt::Debug for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Actor({:?} {:?})", self.operation, self.pending)
    }
}

/// What a process waits for.
#[derive(Debug)]
enum Pending {
    Start,
    Look(Vec<Part>),
    Do(Action),
    Nothing,
}

/// Starts the process of a container.
pub(crate) fn launch(world: &mut World, host: HostId, id: &str, now: Duration) {
    let Some(container) = world.engine(host).containers.get(id) else {
        return;
    };
    let run = container.state.run;
    let image = container
        .variable("UCP_IMAGE")
        .unwrap_or(&container.spec.image)
        .to_owned();
    let mut variables: BTreeMap<String, String> = container
        .spec
        .environment
        .iter()
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let words = lifecycle::argv(world, host, container);
    let words = words.get(1..).unwrap_or_default();
    if is_bootstrapper(words) {
        variables.extend(std::mem::take(&mut world.engines.faults));
    }
    let environment: Environment = variables.into_iter().collect();
    let command = match Command::parse(words, &environment) {
        Ok(command) => command,
        Err(usage) => {
            lifecycle::change(world, host, id, |container| {
                for line in usage.text.lines() {
                    container.print(now, Stream::Out, line);
                }
            });
            let event = Event::Ended {
                host,
                container: id.to_owned(),
                run,
                status: usage.status,
            };
            world.engines.queue.put(now + times::START, event);
            return;
        }
    };
    let seed = Seed(world.rng.random());
    let operation = command.operation;
    let around = standin::World {
        image,
        environment,
        seed,
    };
    let actor = Actor {
        machine: Machine::new(command, around),
        operation,
        started: now,
        run,
        seed,
        pending: Pending::Start,
        seen: None,
        has_acted: false,
        is_dormant: false,
        serving: None,
    };
    world
        .engines
        .actors
        .all
        .insert((host, id.to_owned()), actor);
    due(world, host, id, run, now + times::START);
}

fn is_bootstrapper(words: &[String]) -> bool {
    let first = words.first().map(String::as_str);
    matches!(first, Some("install" | "upgrade" | "uninstall-ucp"))
}

fn due(world: &mut World, host: HostId, id: &str, run: u32, at: Duration) {
    let event = Event::Step {
        host,
        container: id.to_owned(),
        run,
    };
    world.engines.queue.put(at, event);
}

/// Forgets the process of a container that has ended.
pub(crate) fn drop_actor(world: &mut World, host: HostId, id: &str) {
    world.engines.actors.all.remove(&(host, id.to_owned()));
}

/// Lets the process of a container go on that was held.
pub(crate) fn resume(world: &mut World, host: HostId, id: &str, now: Duration) {
    let actor = world.engines.actors.all.get_mut(&(host, id.to_owned()));
    if let Some(actor) = actor {
        actor.is_dormant = false;
        let run = actor.run;
        due(world, host, id, run, now);
    }
}

/// Wakes the agents of a host: something has changed there.
pub(crate) fn wake(world: &mut World, host: HostId, now: Duration) {
    let first = (host, String::new());
    let actors = world.engines.actors.all.range_mut(first..);
    let mut woken = Vec::new();
    for ((_, id), actor) in actors.take_while(|((of, _), _)| *of == host) {
        if std::mem::replace(&mut actor.is_dormant, false) {
            woken.push((id.clone(), actor.run));
        }
    }
    for (id, run) in woken {
        due(world, host, &id, run, now + times::AGENT_NOTICES);
    }
}

/// Lets a process go on.
pub(crate) fn step(world: &mut World, host: HostId, id: &str, run: u32, now: Duration) {
    let key = (host, id.to_owned());
    let container = world.engine(host).containers.get(id);
    let status = container.map(|one| one.state.status);
    let Some(mut actor) = world.engines.actors.all.remove(&key) else {
        return;
    };
    if actor.run != run || status == Some(Status::Paused) {
        // It goes on with `resume`, or belongs to a process that has ended.
        actor.is_dormant = true;
        world.engines.actors.all.insert(key, actor);
        return;
    }
    if is_idle(world, host, &mut actor, now) {
        actor.is_dormant = true;
        world.engines.actors.all.insert(key, actor);
        return;
    }
    let input = match std::mem::replace(&mut actor.pending, Pending::Nothing) {
        Pending::Start => Input::Start,
        Pending::Look(parts) => match view::look(world, host, &parts, now) {
            Ok(view) => Input::Seen(Box::new(view)),
            Err(refusal) => Input::Refused(refusal),
        },
        Pending::Do(action) => match act::carry_out(world, host, id, action, now) {
            Ok(reply) => Input::Done(reply),
            Err(refusal) => Input::Refused(refusal),
        },
        Pending::Nothing => {
            world.engines.actors.all.insert(key, actor);
            return;
        }
    };
    let step = actor.machine.step(now.saturating_sub(actor.started), input);
    print(world, host, id, actor.machine.format(), &step.lines, now);
    go_on(world, key, actor, step.next, now);
}

/// Returns whether an agent would see what it has seen already, and would do nothing.
fn is_idle(world: &World, host: HostId, actor: &mut Actor, now: Duration) -> bool {
    let Pending::Look(parts) = &actor.pending else {
        return false;
    };
    if actor.operation != Operation::Agent || !parts.contains(&Part::Containers) {
        return false;
    }
    let Ok(mut view) = view::look(world, host, parts, now) else {
        return false;
    };
    if view.swarm.is_manager {
        match view::look(world, host, &[Part::Configs], now) {
            Ok(configs) => view.configs = configs.configs,
            // Nobody leads: it is asked again when somebody does.
            Err(_) => view.swarm.error = Some("no leader".to_owned()),
        }
    }
    let is_idle = !actor.has_acted && actor.seen.as_ref() == Some(&view);
    actor.seen = Some(view);
    actor.has_acted = false;
    is_idle
}

fn go_on(world: &mut World, key: (HostId, String), mut actor: Actor, next: Next, now: Duration) {
    let (host, id) = key.clone();
    let run = actor.run;
    let operation = actor.operation;
    match next {
        Next::Look { after, parts } => {
            let is_first = matches!(actor.pending, Pending::Nothing) && actor.seen.is_none();
            let more = times::look(&mut world.rng, operation, is_first && !parts.is_empty());
            if is_first && operation != Operation::Agent {
                actor.seen = Some(View::default());
            }
            actor.pending = Pending::Look(parts);
            world.engines.actors.all.insert(key, actor);
            due(world, host, &id, run, now + after + more);
        }
        Next::Do(action) => {
            let took = times::action(world, host, operation, &action);
            actor.pending = Pending::Do(action);
            actor.has_acted = true;
            world.engines.actors.all.insert(key, actor);
            due(world, host, &id, run, now + took);
        }
        Next::Serve(site) => {
            let seed = actor.seed;
            let ready = now + times::LISTENING;
            actor.serving = Some(serve::Serving::new(*site, seed, ready));
            world.engines.actors.all.insert(key, actor);
        }
        Next::Idle => {
            world.engines.actors.all.insert(key, actor);
        }
        Next::Exit(status) => {
            world.engines.actors.all.insert(key, actor);
            lifecycle::ended(world, host, &id, run, status, now);
        }
    }
}

fn print(world: &mut World, host: HostId, id: &str, format: Format, lines: &[Line], now: Duration) {
    if lines.is_empty() {
        return;
    }
    let wall = world.wall(host, now).as_secs();
    if let Some(container) = world.engine_mut(host).containers.get_mut(id) {
        for line in lines {
            let stream = match line {
                Line::Log { .. } => Stream::Error,
                Line::Plain(_) => Stream::Out,
            };
            let text = line.render(format, wall);
            for text in text.split('\n') {
                container.print(now, stream, text);
            }
        }
    }
}
