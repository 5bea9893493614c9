//! Bastions: hosts that others are reached through.
//!
//! All who go the same way share the connections to its last host. One carries many streams; where
//! it has no room left another one is made, one at a time, and where that fails the ones that are
//! there carry more. A bastion that cannot be reached is tried once for all who wait for it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};

use super::connection::{DialFault, SshConnection};
use super::hop::Hop;
use crate::connection::{ByteStream, ConnectError};
use crate::protocol::held::Held;

/// How many streams one connection carries before another one is made. On a stock sshd each
/// connection is a process that encrypts for its streams alone.
const STREAMS: usize = 64;

/// The connections to bastions, by the way to them.
#[derive(Default)]
pub(super) struct Bastions {
    known: Mutex<HashMap<Hop, Arc<Bastion>>>,
}

impl Bastions {
    /// Returns the bastion at the end of a way.
    pub(super) fn bastion(&self, way: &Hop) -> Arc<Bastion> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(way.clone()).or_default())
    }
}

/// Makes one more connection to a bastion.
pub(super) type Connect = Box<dyn FnOnce() -> BoxFuture<'static, Opened> + Send>;
/// What became of that.
type Opened = Result<SshConnection, ConnectError>;
/// The same, for all who wait for it.
type Opening = Shared<BoxFuture<'static, Result<(), Arc<ConnectError>>>>;

/// A host that others are reached through.
#[derive(Default)]
pub(super) struct Bastion {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lines: Vec<Arc<Line>>,
    opening: Option<Opening>,
}

/// One connection to a bastion.
pub(super) struct Line {
    connection: SshConnection,
    /// How many streams it carries.
    carried: AtomicUsize,
    /// How many it may carry: fewer once the bastion has said that it has no room.
    room: AtomicUsize,
}

/// A stream's place on a line.
pub(super) struct Place {
    line: Arc<Line>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.line.carried.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is to be done for somebody who wants to get through.
enum Next {
    Go(Place),
    Wait(Opening),
}

impl Bastion {
    /// Opens a stream from the bastion to an address. `connect` makes a connection to the bastion,
    /// where one is needed.
    ///
    /// # Errors
    ///
    /// Fails where there is no connection and none can be made, or where the bastion does not
    /// reach the address.
    pub(super) async fn dial(
        self: &Arc<Self>,
        host: &str,
        port: u16,
        connect: impl Fn() -> Connect,
    ) -> Result<Box<dyn ByteStream>, Through> {
        loop {
            let place = self.place(&connect).await.map_err(Through::NotThere)?;
            match place.line.connection.dial_from(host, port).await {
                Ok(stream) => return Ok(Box::new(Held::new(stream, place))),
                Err(DialFault::Full) if self.lose_room(&place) => {}
                Err(fault) => return Err(Through::Fault(fault)),
            }
        }
    }

    /// Waits until there is a connection with room on it.
    ///
    /// # Errors
    ///
    /// Fails where none can be made.
    pub(super) async fn is_there(
        self: &Arc<Self>,
        connect: &impl Fn() -> Connect,
    ) -> Result<(), Arc<ConnectError>> {
        self.place(connect).await.map(drop)
    }

    /// Finds a place on one of the lines.
    async fn place(
        self: &Arc<Self>,
        connect: &impl Fn() -> Connect,
    ) -> Result<Place, Arc<ConnectError>> {
        loop {
            let opening = match self.next(connect) {
                Next::Go(place) => return Ok(place),
                Next::Wait(opening) => opening,
            };
            if let Err(error) = opening.await {
                // One more is not to be had: those that are there have to do.
                return self.state().least_loaded().ok_or(error);
            }
        }
    }

    fn next(self: &Arc<Self>, connect: &impl Fn() -> Connect) -> Next {
        let mut state = self.state();
        state.lines.retain(|line| line.connection.is_alive());
        let has_room = |line: &&Arc<Line>| {
            line.carried.load(Ordering::Relaxed) < line.room.load(Ordering::Relaxed)
        };
        if let Some(line) = state.lines.iter().find(has_room) {
            return Next::Go(Line::take(line));
        }
        // One that has broken off says nothing any more of how it is now.
        state.opening.take_if(|opening| opening.peek().is_some());
        let opening = state.opening.get_or_insert_with(|| {
            let (bastion, connecting) = (Arc::clone(self), connect()());
            // A task of its own: it goes on where the one who began it does not wait any longer.
            let task = tokio::spawn(async move { bastion.open(connecting).await });
            let ended = async move {
                task.await.unwrap_or_else(|error| {
                    let reason = error.to_string();
                    let target = "the bastion".to_owned();
                    Err(Arc::new(ConnectError::Protocol { target, reason }))
                })
            };
            ended.boxed().shared()
        });
        Next::Wait(opening.clone())
    }

    async fn open(
        self: Arc<Self>,
        connecting: BoxFuture<'static, Opened>,
    ) -> Result<(), Arc<ConnectError>> {
        let opened = connecting.await;
        let mut state = self.state();
        state.opening = None;
        let connection = opened.map_err(Arc::new)?;
        state.lines.push(Arc::new(Line {
            connection,
            carried: AtomicUsize::new(0),
            room: AtomicUsize::new(STREAMS),
        }));
        Ok(())
    }

    /// Takes note that a line carries all that it can; returns whether there may be room
    /// elsewhere.
    fn lose_room(&self, place: &Place) -> bool {
        let others = place.line.carried.load(Ordering::Relaxed).saturating_sub(1);
        place.line.room.store(others, Ordering::Relaxed);
        // A bastion without room for a single stream has none on any connection.
        others > 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn least_loaded(&self) -> Option<Place> {
        let open = self.lines.iter().filter(|line| line.connection.is_alive());
        let least = open.min_by_key(|line| line.carried.load(Ordering::Relaxed));
        least.map(Line::take)
    }
}

impl Line {
    /// Takes a place; only where the state is locked.
    fn take(line: &Arc<Self>) -> Place {
        line.carried.fetch_add(1, Ordering::Relaxed);
        Place {
            line: Arc::clone(line),
        }
    }
}

/// Why nobody got through.
pub(super) enum Through {
    /// The bastion could not be connected to.
    NotThere(Arc<ConnectError>),
    /// The bastion did not open the stream.
    Fault(DialFault),
}

#[cfg(test)]
mod tests {
    use futures_util::poll;
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn a_bastion_that_is_not_there_is_tried_once_for_all_who_wait() {
        let bastion = Arc::new(Bastion::default());
        let (tries, shut) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let connect = || -> Connect {
            let (tries, shut) = (Arc::clone(&tries), Arc::clone(&shut));
            Box::new(move || {
                tries.fetch_add(1, Ordering::SeqCst);
                async move {
                    shut.notified().await;
                    let target = "bastion:22".to_owned();
                    Err(ConnectError::Refused { target })
                }
                .boxed()
            })
        };
        let mut all: Vec<_> = (0..20)
            .map(|_| Box::pin(bastion.is_there(&connect)))
            .collect();
        for waiting in &mut all {
            assert!(poll!(waiting).is_pending());
        }

        shut.notify_one();

        for waiting in all {
            let error = waiting.await.unwrap_err();
            assert!(matches!(*error, ConnectError::Refused { .. }));
        }
        assert_eq!(tries.load(Ordering::SeqCst), 1);
        let mut later = Box::pin(bastion.is_there(&connect));
        assert!(poll!(&mut later).is_pending());
        assert_eq!(tries.load(Ordering::SeqCst), 2);
    }
}
