//! What is due when. The one queue of everything that happens by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{lifecycle, links, mke, msr, swarm};
use crate::world::{HostId, World};

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A process of MKE goes on.
    Step {
        /// Where.
        host: HostId,
        /// Its container.
        container: String,
        /// Which of its processes.
        run: u32,
    },
    /// The bootstrapper of MSR goes on.
    Replica {
        /// Where.
        host: HostId,
        /// Its container.
        container: String,
        /// Which of its processes.
        run: u32,
    },
    /// The process of a container ends.
    Ended {
        /// Where.
        host: HostId,
        /// The container.
        container: String,
        /// Which of its processes.
        run: u32,
        /// The status with which it ends.
        status: u8,
    },
    /// A container that was asked to end has had its time.
    Gone {
        /// Where.
        host: HostId,
        /// The container.
        container: String,
    },
    /// A container is started again.
    Restart {
        /// Where.
        host: HostId,
        /// The container.
        container: String,
        /// Which of its processes has ended.
        run: u32,
    },
    /// A task of a swarm goes on.
    Task {
        /// The swarm.
        swarm: usize,
        /// The task.
        task: String,
    },
    /// A swarm looks at what it should run.
    Reconcile {
        /// The swarm.
        swarm: usize,
    },
    /// A swarm looks at its members.
    Members {
        /// The swarm.
        swarm: usize,
    },
}

/// What is due when.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    due: BTreeMap<(Duration, u64), Event>,
    count: u64,
}

impl Queue {
    /// Puts something in.
    pub(crate) fn put(&mut self, at: Duration, event: Event) {
        self.count += 1;
        self.due.insert((at, self.count), event);
    }

    /// Returns when the next thing is due.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    /// Returns how many things are due.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.due.len()
    }

    fn take(&mut self, now: Duration) -> Option<(Duration, Event)> {
        let first = self.due.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        let ((at, _), event) = first.remove_entry();
        Some((at, event))
    }
}

/// Lets everything happen that is due, in order.
pub(crate) fn catch_up(world: &mut World, now: Duration) {
    while let Some((at, event)) = world.engines.queue.take(now) {
        happen(world, event, at);
        settle(world, at);
    }
}

/// Wakes the agents that look at what has changed.
pub(crate) fn settle(world: &mut World, now: Duration) {
    for host in std::mem::take(&mut world.engines.touched) {
        mke::wake(world, host, now);
        links::look(world, host, now);
    }
}

fn happen(world: &mut World, event: Event, now: Duration) {
    match event {
        Event::Step {
            host,
            container,
            run,
        } => mke::step(world, host, &container, run, now),
        Event::Replica {
            host,
            container,
            run,
        } => msr::step(world, host, &container, run, now),
        Event::Ended {
            host,
            container,
            run,
            status,
        } => lifecycle::ended(world, host, &container, run, status, now),
        Event::Restart {
            host,
            container,
            run,
        } => restart(world, host, &container, run, now),
        Event::Gone { host, container } => {
            let how = lifecycle::Removal {
                is_forced: true,
                with_volumes: true,
            };
            // Somebody was faster.
            let _ = lifecycle::remove(world, host, &container, how, now);
        }
        Event::Task { swarm, task } => swarm::tasks::go_on(world, swarm, &task, now),
        Event::Reconcile { swarm } => swarm::reconcile::run(world, swarm, now),
        Event::Members { swarm } => swarm::raft::look_at(world, swarm, now),
    }
}

fn restart(world: &mut World, host: HostId, id: &str, run: u32, now: Duration) {
    let engine = world.engine(host);
    let is_due = engine.containers.get(id).is_some_and(|one| {
        one.state.run == run && one.state.status == super::container::Status::Restarting
    });
    if engine.is_running && is_due {
        // It is there and can be started, or somebody was faster.
        let _ = lifecycle::start(world, host, id, now);
    }
}
