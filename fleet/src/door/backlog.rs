//! What clients have sent and no command has read yet.
//!
//! The library grants a client more as soon as it has sent something, and blocks a whole connection
//! where one channel waits. So nothing waits here: what comes is kept, whoever sends much is read
//! more slowly, and whoever sends too much is thrown out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;

/// From how many bytes on a client is read slowly.
const MANY: usize = 4 << 20;
/// From how many bytes on it is read very slowly.
const VERY_MANY: usize = 64 << 20;
/// How many bytes are too many.
const TOO_MANY: usize = 256 << 20;

/// How much waits on a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Backlog(Arc<AtomicUsize>);

impl Backlog {
    /// Keeps a piece; none where it is too much.
    pub(super) fn keep(&self, data: &[u8]) -> Option<Piece> {
        let before = self.0.fetch_add(data.len(), Ordering::Relaxed);
        let piece = Piece {
            bytes: Bytes::copy_from_slice(data),
            backlog: self.clone(),
        };
        (before < TOO_MANY).then_some(piece)
    }

    /// Returns how long a client is not read from.
    pub(super) fn pause(&self) -> Option<Duration> {
        match self.0.load(Ordering::Relaxed) {
            0..MANY => None,
            MANY..VERY_MANY => Some(Duration::from_millis(2)),
            _ => Some(Duration::from_millis(50)),
        }
    }
}

/// A piece that waits; it counts as long as it is there.
#[derive(Debug)]
pub(super) struct Piece {
    /// What it is.
    pub(super) bytes: Bytes,
    backlog: Backlog,
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.backlog
            .0
            .fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sends_much_is_slowed_down_and_who_sends_too_much_is_thrown_out() {
        let backlog = Backlog::default();
        let data = vec![0; 1 << 20];

        let mut kept: Vec<Piece> = (0..4).filter_map(|_| backlog.keep(&data)).collect();
        assert_eq!(backlog.pause(), Some(Duration::from_millis(2)));
        kept.pop();
        assert_eq!(backlog.pause(), None);
        kept.extend((0..300).map_while(|_| backlog.keep(&data)));
        assert_eq!(kept.len(), 256);
        drop(kept);
        assert_eq!(backlog.pause(), None);
    }
}
