//! The run lock: what changes a cluster holds it, so that two runs cannot hurt each other.
//!
//! Where the lock lives is the product's business ([`LockStore`]): it must take it atomically and
//! judge its age by the clock of the host that holds it. A holder renews it every 10 s; without a
//! sign of life for 60 s it is stale and may be taken over.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::failure::Failure;
use crate::stop::{Stop, StopReason};

/// How often a holder gives a sign of life.
pub const HEARTBEAT: Duration = Duration::from_secs(10);

/// After what time without a sign of life a lock is stale.
pub const STALE_AFTER: Duration = Duration::from_secs(60);

/// After what time without a renewed lock a holder stops: before anybody may take it over.
const GIVE_UP_AFTER: Duration = Duration::from_secs(45);

/// Who holds the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockRecord {
    /// Id of the run.
    pub run_id: String,
    /// `user@machine` of the holder.
    pub owner: String,
    /// The command (`apply`).
    pub command: String,
    /// RFC 3339 time of the start.
    pub started_at: String,
}

/// What came of an attempt to take the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acquired {
    /// The lock is ours. `undisturbed` says that no other run has ended on the cluster since the
    /// facts were gathered: without it they have to be gathered again.
    Ours {
        /// Whether the facts that were gathered are still those of the cluster.
        undisturbed: bool,
    },
    /// Somebody else holds it.
    Held {
        /// Who.
        by: LockRecord,
        /// Since their last sign of life.
        age: Duration,
    },
}

/// Where the lock lives.
#[async_trait]
pub trait LockStore: Send + Sync {
    /// Takes the lock if it is free, stale, or to be broken (`--break-lock`).
    ///
    /// # Errors
    ///
    /// Fails where the place of the lock cannot be reached or written.
    async fn acquire(&self, record: &LockRecord, break_lock: bool) -> Result<Acquired, Failure>;

    /// Gives a sign of life; returns whether the lock is still ours.
    ///
    /// # Errors
    ///
    /// Fails where the place of the lock cannot be reached.
    async fn renew(&self, record: &LockRecord) -> Result<bool, Failure>;

    /// Gives the lock back, if it is ours.
    ///
    /// # Errors
    ///
    /// Fails where the place of the lock cannot be reached.
    async fn release(&self, record: &LockRecord) -> Result<(), Failure>;
}

/// Returns the failure that names the holder of a lock.
pub fn held_failure(by: &LockRecord, age: Duration) -> Failure {
    Failure::new(format!(
        "the cluster is locked by `{}` ({}), which runs `launchpad {}` since {}; last sign of life \
         {} s ago",
        by.owner,
        by.run_id,
        by.command,
        by.started_at,
        age.as_secs()
    ))
    .hint(
        "wait for that run to end; if it is dead, its lock is free 60 s after its last sign of \
         life, or at once with `--break-lock`",
    )
}

/// How often a held lock is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Takes the lock; returns whether the facts are still those of the cluster.
///
/// A held lock is watched until its holder is known to live, by one more sign of life (10 s at the
/// most), or to be dead: then it is taken over, as after a run that was killed. `waiting` is told
/// once that there is somebody to wait for.
///
/// # Errors
///
/// Fails where a living holder has the lock, where the run stops meanwhile, and where the place of
/// the lock cannot be reached.
pub async fn take(
    store: &dyn LockStore,
    record: &LockRecord,
    break_lock: bool,
    stop: &Stop,
    waiting: impl Fn(&LockRecord),
) -> Result<bool, Failure> {
    let give_up = Instant::now() + STALE_AFTER + HEARTBEAT;
    let mut known: Option<(String, Duration)> = None;
    loop {
        let (by, age) = match store.acquire(record, break_lock).await? {
            Acquired::Ours { undisturbed } => return Ok(undisturbed),
            Acquired::Held { by, age } => (by, age),
        };
        let lives = match &known {
            None => {
                waiting(&by);
                false
            }
            Some((run_id, last)) => *run_id != by.run_id || age < *last,
        };
        if lives || Instant::now() >= give_up {
            return Err(held_failure(&by, age));
        }
        known = Some((by.run_id.clone(), age));
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = stop.stopping() => return Err(held_failure(&by, age)),
        }
    }
}

/// Renews the lock until it is dropped, or lost: then the run stops.
pub async fn keep(store: &dyn LockStore, record: &LockRecord, stop: &Stop) -> Failure {
    let mut last = Instant::now();
    loop {
        tokio::time::sleep_until(last + HEARTBEAT).await;
        let give_up = last + GIVE_UP_AFTER;
        let trouble = loop {
            let next_try = Instant::now() + Duration::from_secs(2);
            match tokio::time::timeout_at(give_up, store.renew(record)).await {
                Ok(Ok(true)) => break None,
                Ok(Ok(false)) => {
                    break Some(Failure::new(
                        "the run lock is gone: somebody else has taken it over, or its host was rebooted",
                    ));
                }
                Ok(Err(failure)) if Instant::now() >= give_up => {
                    break Some(Failure::new("the run lock cannot be renewed").caused_by(&failure));
                }
                Ok(Err(_passing)) => tokio::time::sleep_until(next_try).await,
                Err(_elapsed) => {
                    break Some(Failure::new("the run lock could not be renewed for 45 s"));
                }
            }
        };
        match trouble {
            None => last = Instant::now(),
            Some(failure) => {
                stop.gracefully(StopReason::LockLost);
                return failure;
            }
        }
    }
}
