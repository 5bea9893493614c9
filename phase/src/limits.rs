//! Bounds on what is done at the same time, by kind of work.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::stop::Stop;

/// The kind of work that a host phase does; each kind has its own bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Work {
    /// Waits for the host itself (its package manager, its engine): costs us nothing.
    Own,
    /// Asks the host for everything that there is to know of it: answers of many hosts are held at the
    /// same time, and read on this machine.
    Look,
    /// Disturbs a worker: `--concurrency`, 5 unless told.
    DisruptiveWorker,
    /// Joins a node to the swarm, or changes its record there: load on the managers.
    Swarm,
    /// Uploads files from the machine that runs launchpad.
    Upload,
}

/// How many may be at work at the same time.
#[derive(Debug, Clone)]
pub struct Limits {
    hosts: Option<Arc<Semaphore>>,
    look: Arc<Semaphore>,
    disruptive: Arc<Semaphore>,
    swarm: Arc<Semaphore>,
    upload: Arc<Semaphore>,
}

/// What a step holds while it runs.
#[derive(Debug)]
pub struct Permits {
    _host: Option<OwnedSemaphorePermit>,
    _kind: Option<OwnedSemaphorePermit>,
}

impl Limits {
    /// How many nodes join the swarm, or have their records changed, at the same time. A join is a
    /// certificate and a few entries in the log of raft, some 10 ms of the leader's time; the
    /// second or so that it takes otherwise is the node's own. With 8, a thousand workers take three
    /// minutes longer.
    const SWARM: usize = 64;

    /// How many hosts are asked for all of their facts at the same time: as many as are connected to
    /// in a second, so that nobody waits for a place but where hosts do not answer.
    const LOOK: usize = 256;

    /// Makes limits from `--concurrency` (disruptive worker steps) and `--parallel-hosts` (hosts
    /// worked on at a time; all where absent). Zero counts as one.
    pub fn new(concurrency: usize, parallel_hosts: Option<usize>) -> Self {
        let semaphore = |count: usize| Arc::new(Semaphore::new(count.clamp(1, 1 << 16)));
        Self {
            hosts: parallel_hosts.map(semaphore),
            look: semaphore(Self::LOOK),
            disruptive: semaphore(concurrency),
            swarm: semaphore(Self::SWARM),
            upload: semaphore(32),
        }
    }

    /// Waits for a place; `None` when the run is stopping and no new step may start.
    pub async fn enter(&self, work: Work, stop: &Stop) -> Option<Permits> {
        let kind = match work {
            Work::Own => None,
            Work::Look => Some(&self.look),
            Work::DisruptiveWorker => Some(&self.disruptive),
            Work::Swarm => Some(&self.swarm),
            Work::Upload => Some(&self.upload),
        };
        let permits = async {
            // One order everywhere, kind before host, so that two kinds cannot wait in a circle.
            let kind = acquire(kind).await?;
            let host = acquire(self.hosts.as_ref()).await?;
            Some(Permits {
                _host: host,
                _kind: kind,
            })
        };
        tokio::select! {
            biased;
            () = stop.stopping() => None,
            permits = permits => permits,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new(5, None)
    }
}

async fn acquire(semaphore: Option<&Arc<Semaphore>>) -> Option<Option<OwnedSemaphorePermit>> {
    match semaphore {
        None => Some(None),
        // The semaphores are never closed; a closed one would mean that no step may start.
        Some(semaphore) => Arc::clone(semaphore).acquire_owned().await.ok().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_kind_of_work_has_its_own_bound() {
        let limits = Limits::new(5, None);
        let stop = Stop::new();
        for (work, most) in [
            (Work::Look, Limits::LOOK),
            (Work::DisruptiveWorker, 5),
            (Work::Swarm, Limits::SWARM),
            (Work::Upload, 32),
        ] {
            let mut held = Vec::new();
            for _ in 0..most {
                held.push(limits.enter(work, &stop).await);
            }

            let mut next = Box::pin(limits.enter(work, &stop));
            assert!(futures_util::poll!(&mut next).is_pending(), "{work:?}");
            held.pop();
            assert!(next.await.is_some(), "{work:?}");
        }
    }
}
