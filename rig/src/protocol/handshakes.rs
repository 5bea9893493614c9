//! How many connections may be without login at the same time: here, and on each server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The connections that are being made.
pub(super) struct Handshakes {
    all: Arc<Semaphore>,
    per_server: usize,
    servers: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// Leave to make a connection, as long as it is there.
pub(super) struct Leave {
    _on_server: Option<OwnedSemaphorePermit>,
    _here: Option<OwnedSemaphorePermit>,
}

impl Handshakes {
    pub(super) fn new(all: usize, per_server: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all.max(1))),
            per_server: per_server.max(1),
            servers: Mutex::default(),
        }
    }

    /// Waits until one more connection to a server may be without login.
    pub(super) async fn with(&self, server: &str) -> Leave {
        let of_server = {
            let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
            let of_server = servers.entry(server.to_owned());
            Arc::clone(of_server.or_insert_with(|| Arc::new(Semaphore::new(self.per_server))))
        };
        // Neither is ever closed. First the server's own: who waits for it holds up nobody else.
        let on_server = of_server.acquire_owned().await.ok();
        Leave {
            _on_server: on_server,
            ..self.anywhere().await
        }
    }

    /// Waits until one more of them may be made here, whatever it leads to.
    pub(super) async fn anywhere(&self) -> Leave {
        Leave {
            _on_server: None,
            _here: Arc::clone(&self.all).acquire_owned().await.ok(),
        }
    }
}
