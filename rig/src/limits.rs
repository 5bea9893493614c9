//! Bounds that all hosts of a run share.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// How many sessions a host is asked for at the same time; a stock sshd allows 10.
pub const SESSIONS: usize = 8;
/// How many uploads run at the same time: each may hold 2 MiB that the peer has not taken yet.
pub const UPLOADS: usize = 32;

/// Bounds that all hosts of a run share; cheap to clone.
#[derive(Debug, Clone)]
pub struct SharedLimits {
    pub(crate) uploads: Arc<Semaphore>,
}

impl Default for SharedLimits {
    fn default() -> Self {
        Self {
            uploads: Arc::new(Semaphore::new(UPLOADS)),
        }
    }
}
