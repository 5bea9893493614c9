//! Writes to a stream that may be slow, or stand still, without holding anybody else back.

use std::io::{self, Write};

use tokio::sync::{mpsc, oneshot};

use crate::sinks::Writing;

/// Writes whole pieces of text, one after the other.
pub(crate) enum Pen {
    /// On the caller's task: the writer never blocks.
    Inline(Inline),
    /// On a thread of its own.
    Thread {
        pieces: mpsc::Sender<Piece>,
        ended: oneshot::Receiver<Option<io::Error>>,
    },
}

/// A piece of text, and who wants to know that it was written.
pub(crate) struct Piece {
    text: String,
    written: oneshot::Sender<()>,
}

/// A writer with the first error that it met; nothing is written after that.
pub(crate) struct Inline {
    writer: Box<dyn Write + Send>,
    error: Option<io::Error>,
}

impl Pen {
    pub(crate) fn new(writer: Box<dyn Write + Send>, writing: Writing) -> Self {
        let inline = Inline {
            writer,
            error: None,
        };
        match writing {
            Writing::Inline => Self::Inline(inline),
            Writing::Thread => Self::on_thread(inline),
        }
    }

    fn on_thread(mut inline: Inline) -> Self {
        // One piece may wait while one is being written: a state that was missed is not missed.
        let (pieces, mut incoming) = mpsc::channel::<Piece>(1);
        let (tell, ended) = oneshot::channel();
        std::thread::spawn(move || {
            while let Some(piece) = incoming.blocking_recv() {
                inline.write(&piece.text);
                // Who asked may have gone in the meantime; nobody is left to tell then.
                let _ = piece.written.send(());
            }
            let _ = tell.send(inline.error);
        });
        Self::Thread { pieces, ended }
    }

    /// Returns whether a piece can be taken without a wait.
    pub(crate) fn is_free(&self) -> bool {
        match self {
            Self::Inline(_) => true,
            Self::Thread { pieces, .. } => pieces.capacity() > 0,
        }
    }

    /// Waits until a piece can be taken; may be given up at any time.
    pub(crate) async fn ready(&mut self) {
        match self {
            Self::Inline(_) => {}
            // An error is a thread that has ended: it takes anything, and forgets it.
            Self::Thread { pieces, .. } => drop(pieces.reserve().await),
        }
    }

    /// Takes a piece; to be called when the pen is free. The result tells when it is written.
    pub(crate) fn put(&mut self, text: String) -> oneshot::Receiver<()> {
        let (written, done) = oneshot::channel();
        match self {
            Self::Inline(inline) => {
                inline.write(&text);
                // The other end is here.
                let _ = written.send(());
            }
            Self::Thread { pieces, .. } => drop(pieces.try_send(Piece { text, written })),
        }
        done
    }

    /// Waits until everything is written, and returns the first error.
    pub(crate) async fn close(self) -> Option<io::Error> {
        match self {
            Self::Inline(inline) => inline.error,
            Self::Thread { pieces, ended } => {
                drop(pieces);
                ended.await.unwrap_or_default()
            }
        }
    }
}

impl Inline {
    fn write(&mut self, text: &str) {
        if self.error.is_some() || text.is_empty() {
            return;
        }
        let result = self.writer.write_all(text.as_bytes());
        self.error = result.and_then(|()| self.writer.flush()).err();
    }
}
