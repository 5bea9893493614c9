//! Services and their tasks.

use std::collections::BTreeMap;
use std::time::Duration;

use super::node::Node;
use super::{Swarm, reconcile};
use crate::engine::container::Mount;
use crate::engine::image::Reference;
use crate::engine::{Refusal, names, refusal};
use crate::world::World;

/// What a service is asked to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Spec {
    /// Its name.
    pub(crate) name: String,
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// The image of its tasks.
    pub(crate) image: String,
    /// What they run, where it is not what the image says.
    pub(crate) command: Vec<String>,
    /// The arguments of that.
    pub(crate) arguments: Vec<String>,
    /// The environment.
    pub(crate) environment: Vec<String>,
    /// The labels of the containers.
    pub(crate) container_labels: BTreeMap<String, String>,
    /// What is mounted.
    pub(crate) mounts: Vec<Mount>,
    /// The networks.
    pub(crate) networks: Vec<String>,
    /// How many tasks there are: none for one on every node.
    pub(crate) replicas: Option<u64>,
    /// Which nodes get tasks.
    pub(crate) constraints: Vec<String>,
    /// When tasks that have ended are replaced.
    pub(crate) restart: Restart,
    /// After which time.
    pub(crate) restart_delay: Duration,
    /// How tasks are replaced by those of another specification.
    pub(crate) update: Rolling,
    /// How often a look was forced.
    pub(crate) force: u64,
}

/// When a task that has ended is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Restart {
    /// Always.
    #[default]
    Any,
    /// When it has failed.
    OnFailure,
    /// Never.
    None,
}

/// The conditions, and their names.
pub(crate) const RESTARTS: &[(&str, Restart)] = &[
    ("any", Restart::Any),
    ("on-failure", Restart::OnFailure),
    ("none", Restart::None),
];

/// How tasks are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rolling {
    /// How many at the same time; 0 is all.
    pub(crate) parallelism: usize,
    /// The time between them.
    pub(crate) delay: Duration,
    /// How long a new task has to run to be good.
    pub(crate) monitor: Duration,
    /// Whether the new one is there before the old one goes.
    pub(crate) starts_first: bool,
}

impl Default for Rolling {
    fn default() -> Self {
        Self {
            parallelism: 1,
            delay: Duration::ZERO,
            monitor: Duration::from_secs(5),
            starts_first: false,
        }
    }
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    /// Its id.
    pub(crate) id: String,
    /// What it is asked to be.
    pub(crate) spec: Spec,
    /// What it was asked to be before.
    pub(crate) previous: Option<Box<Spec>>,
    /// The number of the specification that its tasks should have.
    pub(crate) generation: u64,
    /// When it was made.
    pub(crate) created: Duration,
    /// When it was changed last.
    pub(crate) updated: Duration,
    /// The number of its last change.
    pub(crate) version: u64,
    /// The update that goes on or was the last.
    pub(crate) update: Option<Update>,
}

/// An update of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Update {
    /// When it began.
    pub(crate) started: Duration,
    /// When it was over.
    pub(crate) completed: Option<Duration>,
    /// When the next tasks may be replaced.
    pub(crate) next: Duration,
}

impl Update {
    /// Returns the name of its state.
    pub(crate) fn state(&self) -> &'static str {
        match self.completed {
            Some(_) => "completed",
            None => "updating",
        }
    }
}

/// A task of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    /// Its id.
    pub(crate) id: String,
    /// The service.
    pub(crate) service: String,
    /// The node.
    pub(crate) node: Option<String>,
    /// Its number, where it is one of several.
    pub(crate) slot: Option<u64>,
    /// The number of the specification that it has.
    pub(crate) generation: u64,
    /// The image.
    pub(crate) image: String,
    /// Whether it should run.
    pub(crate) should_run: bool,
    /// How it is.
    pub(crate) state: TaskState,
    /// Since when.
    pub(crate) since: Duration,
    /// When it was made.
    pub(crate) created: Duration,
    /// What went wrong.
    pub(crate) error: String,
    /// Its container.
    pub(crate) container: Option<String>,
    /// The status with which that has ended.
    pub(crate) exit_code: u8,
}

/// How a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TaskState {
    /// It has a node.
    Assigned,
    /// Its image is being pulled.
    Preparing,
    /// Its container is being started.
    Starting,
    /// It runs.
    Running,
    /// It has ended well.
    Complete,
    /// It was stopped.
    Shutdown,
    /// It has ended badly.
    Failed,
    /// It could not be started.
    Rejected,
}

impl TaskState {
    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Preparing => "preparing",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Shutdown => "shutdown",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
        }
    }

    /// Returns whether it is over.
    pub(crate) fn is_over(self) -> bool {
        self > Self::Running
    }
}

impl Task {
    /// Returns the name of its container: `service.slot.id`, `service.node.id`.
    pub(crate) fn name(&self, service: &str) -> String {
        format!("{}.{}", self.short_name(service), self.id)
    }

    /// Returns its name without its id.
    pub(crate) fn short_name(&self, service: &str) -> String {
        match (self.slot, &self.node) {
            (Some(slot), _) => format!("{service}.{slot}"),
            (None, Some(node)) => format!("{service}.{node}"),
            (None, None) => service.to_owned(),
        }
    }
}

/// Makes a service; returns its id.
pub(crate) fn create(
    world: &mut World,
    swarm: usize,
    mut spec: Spec,
    now: Duration,
) -> Result<String, Refusal> {
    spec.image = named(&spec.image)?;
    let services = &world.swarm(swarm).services;
    if services.values().any(|one| one.spec.name == spec.name) {
        return Err(refusal(
            409,
            format!(
                "rpc error: code = AlreadyExists desc = name conflicts with an existing object: \
                 service {} already exists",
                spec.name
            ),
        ));
    }
    let id = names::swarm_id(&mut world.rng);
    let state = world.swarm_mut(swarm);
    let version = state.bump(now);
    let service = Service {
        id: id.clone(),
        spec,
        previous: None,
        generation: 1,
        created: now,
        updated: now,
        version,
        update: None,
    };
    state.services.insert(id.clone(), service);
    reconcile::soon(world, swarm, now);
    Ok(id)
}

/// Returns the name of an image as swarm keeps it: without the registry that needs no name.
fn named(image: &str) -> Result<String, Refusal> {
    let reference = Reference::parse(image).map_err(|message| refusal(400, message))?;
    Ok(reference.to_string())
}

/// Gives a service another specification.
pub(crate) fn update(
    world: &mut World,
    swarm: usize,
    text: &str,
    change: impl FnOnce(&mut Spec),
    now: Duration,
) -> Result<String, Refusal> {
    let service = world.swarm(swarm).find_service(text)?;
    let id = service.id.clone();
    let mut spec = service.spec.clone();
    change(&mut spec);
    spec.image = named(&spec.image)?;
    let state = world.swarm_mut(swarm);
    let version = state.bump(now);
    if let Some(service) = state.services.get_mut(&id) {
        let only_count = Spec {
            replicas: spec.replicas,
            ..service.spec.clone()
        };
        let replaces = only_count != spec;
        let previous = std::mem::replace(&mut service.spec, spec);
        service.previous = Some(Box::new(previous));
        service.version = version;
        service.updated = now;
        if replaces {
            service.generation += 1;
            service.update = Some(Update {
                started: now,
                completed: None,
                next: now,
            });
        }
    }
    reconcile::soon(world, swarm, now);
    Ok(id)
}

/// Removes a service and its tasks.
pub(crate) fn remove(
    world: &mut World,
    swarm: usize,
    text: &str,
    now: Duration,
) -> Result<(), Refusal> {
    let id = world.swarm(swarm).find_service(text)?.id.clone();
    let state = world.swarm_mut(swarm);
    state.bump(now);
    state.services.remove(&id);
    for task in state.tasks.values_mut() {
        if task.service == id {
            task.should_run = false;
        }
    }
    reconcile::soon(world, swarm, now);
    Ok(())
}

impl Swarm {
    /// Returns how many tasks of a service run, and how many there should be.
    pub(crate) fn replicas(&self, service: &Service, now: Duration) -> (usize, usize) {
        let tasks = self
            .tasks
            .values()
            .filter(|task| task.service == service.id);
        let is_there = |node: &Option<String>| {
            let node = node.as_ref().and_then(|id| self.nodes.get(id));
            node.is_some_and(|node| node.state(now) != "down")
        };
        let running = tasks.filter(|task| {
            task.should_run && task.state == TaskState::Running && is_there(&task.node)
        });
        let wanted = match service.spec.replicas {
            Some(replicas) => usize::try_from(replicas).unwrap_or(usize::MAX),
            None => {
                let nodes = self.nodes.values();
                nodes.filter(|node| service.wants(node, now)).count()
            }
        };
        (running.count(), wanted)
    }
}

impl Service {
    /// Returns whether a node may have tasks.
    pub(crate) fn wants(&self, node: &Node, now: Duration) -> bool {
        node.is_ready(now) && self.fits(node)
    }

    /// Returns whether a node may have tasks once it is ready.
    pub(crate) fn fits(&self, node: &Node) -> bool {
        node.availability != super::node::Availability::Drain
            && self.spec.constraints.iter().all(|one| node.fits(one))
    }
}
