//! Standard output and standard error, written to by many hosts at the same time.
//!
//! A terminal can be stopped and a pipe can be full: bytes are written on a thread of their own, and
//! whoever has more waits for it, without holding up signals.

use std::io::{self, Write};
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::world::{Stream, World};

/// How many pieces may wait.
const WAITING: usize = 64;

/// Where a piece goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

enum Piece {
    Bytes(To, Vec<u8>),
    /// Whoever asks is told that everything before was written.
    Mark(tokio::sync::oneshot::Sender<()>),
}

/// Why standard output takes nothing any more.
type Broken = Option<Arc<io::Error>>;

/// Writes whole pieces, one after the other; cheap to clone.
#[derive(Clone)]
pub(crate) struct Writer {
    pieces: mpsc::Sender<Piece>,
    broken: watch::Receiver<Broken>,
}

impl Writer {
    /// Makes a writer of the streams of a world.
    pub(crate) fn new(world: &World) -> Self {
        let (pieces, incoming) = mpsc::channel(WAITING);
        let (tell, broken) = watch::channel(None);
        let streams = [world.stdout.clone(), world.stderr.clone()];
        if streams.iter().all(|stream| stream.is_in_memory) {
            tokio::spawn(write_in_memory(incoming, streams, tell));
        } else {
            std::thread::spawn(move || write_blocking(incoming, streams, &tell));
        }
        Self { pieces, broken }
    }

    /// Writes a piece as it is; others come before or behind it.
    pub(crate) async fn write(&self, to: To, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            // Nobody takes it where nobody can be told anything any more.
            let _ = self.pieces.send(Piece::Bytes(to, bytes)).await;
        }
    }

    /// Writes a line to standard error, unless it would have to wait: then it is not worth it.
    pub(crate) fn say(&self, line: &str) {
        let line = format!("{line}\n").into_bytes();
        let _ = self.pieces.try_send(Piece::Bytes(To::Stderr, line));
    }

    /// Waits until everything was written.
    pub(crate) async fn flush(&self) {
        let (written, wait) = tokio::sync::oneshot::channel();
        if self.pieces.send(Piece::Mark(written)).await.is_ok() {
            let _ = wait.await;
        }
    }

    /// Waits until standard output takes nothing any more; returns why.
    pub(crate) async fn broken(&self) -> Arc<io::Error> {
        let mut broken = self.broken.clone();
        if let Ok(error) = broken.wait_for(Option::is_some).await
            && let Some(error) = error.as_ref()
        {
            return Arc::clone(error);
        }
        std::future::pending().await
    }
}

fn write_blocking(
    mut incoming: mpsc::Receiver<Piece>,
    mut streams: [Stream; 2],
    tell: &watch::Sender<Broken>,
) {
    while let Some(piece) = incoming.blocking_recv() {
        take(piece, &mut streams, tell);
    }
}

async fn write_in_memory(
    mut incoming: mpsc::Receiver<Piece>,
    mut streams: [Stream; 2],
    tell: watch::Sender<Broken>,
) {
    while let Some(piece) = incoming.recv().await {
        take(piece, &mut streams, &tell);
    }
}

fn take(piece: Piece, streams: &mut [Stream; 2], tell: &watch::Sender<Broken>) {
    let [stdout, stderr] = streams;
    let (to, bytes) = match piece {
        Piece::Bytes(to, bytes) => (to, bytes),
        Piece::Mark(written) => {
            // Who asked may have gone in the meantime.
            let _ = written.send(());
            return;
        }
    };
    let stream: &mut dyn Write = match to {
        To::Stdout => stdout,
        To::Stderr => stderr,
    };
    let written = stream.write_all(&bytes).and_then(|()| stream.flush());
    // There is nobody left to tell where standard error cannot be written to.
    if let (Err(error), To::Stdout) = (written, to) {
        tell.send_replace(Some(Arc::new(error)));
    }
}
