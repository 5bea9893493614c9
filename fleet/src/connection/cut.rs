//! What breaks a connection.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A connection that can be cut; shared by all that hangs on it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cut(Arc<CutState>);

#[derive(Debug, Default)]
struct CutState {
    is_cut: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl Cut {
    fn wakers(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether both are the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Cuts it.
    pub(crate) fn cut(&self) {
        self.0.is_cut.store(true, Ordering::Relaxed);
        for waker in std::mem::take(&mut *self.wakers()) {
            waker.wake();
        }
    }

    /// Returns whether it is cut.
    pub(crate) fn is_cut(&self) -> bool {
        self.0.is_cut.load(Ordering::Relaxed)
    }

    /// Returns whether it is cut; wakes the task when it will be.
    pub(crate) fn poll(&self, context: &Context<'_>) -> bool {
        if self.is_cut() {
            return true;
        }
        let mut wakers = self.wakers();
        if !wakers.iter().any(|known| known.will_wake(context.waker())) {
            wakers.push(context.waker().clone());
        }
        false
    }

    /// Waits until it is cut.
    pub(crate) async fn happens(&self) {
        std::future::poll_fn(|context| {
            if self.poll(context) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}
