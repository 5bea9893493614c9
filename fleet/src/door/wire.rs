//! The byte stream of a connection to a host: it takes the time of the link, stands still while the
//! host does, and is gone when the connection is cut.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use rig::connection::ByteStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::backlog::Backlog;
use super::gate::Gate;
use crate::connection::Cut;
use crate::network::Link;

/// How many bytes are on their way at most.
const MOST: usize = 1 << 20;
/// How much is read at a time.
const PIECE: usize = 32 << 10;
/// What is shorter than this is not worth a timer.
const WORTH: Duration = Duration::from_millis(1);

/// What a byte stream depends on.
pub(super) struct Way {
    /// What breaks it.
    pub(super) cut: Cut,
    /// What lets it stand still.
    pub(super) gate: Gate,
    /// What slows it down.
    pub(super) backlog: Backlog,
    /// Its link.
    pub(super) link: Link,
    /// Where its jitter comes from.
    pub(super) seed: u64,
}

/// A byte stream that behaves as its link does.
pub(super) struct Wire {
    inner: Box<dyn ByteStream>,
    cut: Cut,
    gate: Gate,
    backlog: Backlog,
    /// Until when nothing is read.
    pause: Option<Pin<Box<Sleep>>>,
    shape: Option<Shape>,
}

impl Wire {
    /// Makes one of a stream that takes no time.
    pub(super) fn new(inner: Box<dyn ByteStream>, way: Way) -> Self {
        let link = way.link;
        let is_felt = link.latency >= WORTH || link.jitter >= WORTH;
        let is_narrow = link.bandwidth < Link::default().bandwidth && link.bandwidth > 0;
        Self {
            inner,
            cut: way.cut,
            gate: way.gate,
            backlog: way.backlog,
            pause: None,
            shape: (is_felt || is_narrow).then(|| Shape::new(link, way.seed)),
        }
    }

    /// Waits where what was read so far is too much; what is to be sent does not wait for it.
    fn poll_pause(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.pause.is_none() {
            let time = self.backlog.pause();
            self.pause = time.map(|time| Box::pin(tokio::time::sleep(time)));
        }
        if let Some(pause) = &mut self.pause {
            std::task::ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        Poll::Ready(())
    }

    /// Returns whether anything goes through now; else the task is woken when that changes.
    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.cut.poll(context) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        match self.gate.poll_open(context) {
            true => Poll::Ready(Ok(())),
            false => Poll::Pending,
        }
    }
}

/// Bytes that are on their way in one direction.
#[derive(Default)]
struct Direction {
    queue: VecDeque<(Instant, Bytes)>,
    bytes: usize,
    /// When the last byte that was sent has left.
    free: Option<Instant>,
    delay: Option<Pin<Box<Sleep>>>,
    is_over: bool,
}

impl Direction {
    fn push(&mut self, bytes: Bytes, link: Link, rng: &mut SmallRng) {
        let now = Instant::now();
        let takes = Duration::from_secs_f64(bytes.len() as f64 / link.bandwidth.max(1) as f64);
        let left = self.free.filter(|free| *free > now).unwrap_or(now) + takes;
        self.free = Some(left);
        let jitter = link.jitter.mul_f64(rng.random_range(0.0..=1.0));
        let arrives = left + link.latency + jitter;
        // Nothing overtakes: it is one stream.
        let last = self.queue.back().map(|(at, _)| *at);
        let arrives = last.map_or(arrives, |last| last.max(arrives));
        self.bytes += bytes.len();
        self.queue.push_back((arrives, bytes));
    }

    /// Returns whether the first bytes have arrived; else the task is woken when they do.
    fn poll_arrived(&mut self, context: &mut Context<'_>) -> bool {
        let Some((at, _)) = self.queue.front() else {
            return false;
        };
        let delay = self
            .delay
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(*at)));
        if delay.as_mut().poll(context).is_pending() {
            return false;
        }
        self.delay = None;
        true
    }

    fn take(&mut self, most: usize) -> Option<Bytes> {
        let (_, bytes) = self.queue.front_mut()?;
        let piece = bytes.split_to(most.min(bytes.len()));
        self.bytes -= piece.len();
        if bytes.is_empty() {
            self.queue.pop_front();
        }
        Some(piece)
    }
}

/// A link that is felt.
struct Shape {
    link: Link,
    rng: SmallRng,
    incoming: Direction,
    outgoing: Direction,
    error: Option<io::ErrorKind>,
}

impl Shape {
    fn new(link: Link, seed: u64) -> Self {
        Self {
            link,
            rng: SmallRng::seed_from_u64(seed),
            incoming: Direction::default(),
            outgoing: Direction::default(),
            error: None,
        }
    }

    /// Reads what the socket has, as long as there is room on the way.
    fn fill(&mut self, inner: &mut Box<dyn ByteStream>, context: &mut Context<'_>) {
        while !self.incoming.is_over && self.incoming.bytes < MOST {
            let mut space = vec![0; PIECE];
            let mut buffer = ReadBuf::new(&mut space);
            match Pin::new(&mut *inner).poll_read(context, &mut buffer) {
                Poll::Pending => return,
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => self.incoming.is_over = true,
                Poll::Ready(Ok(())) => {
                    let length = buffer.filled().len();
                    space.truncate(length);
                    self.incoming.push(space.into(), self.link, &mut self.rng);
                }
                Poll::Ready(Err(error)) => {
                    self.error = Some(error.kind());
                    self.incoming.is_over = true;
                }
            }
        }
    }

    /// Writes what has arrived to the socket; ready when nothing is on its way any more.
    fn drain(
        &mut self,
        inner: &mut Box<dyn ByteStream>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.outgoing.queue.is_empty() {
            if !self.outgoing.poll_arrived(context) {
                return Poll::Pending;
            }
            let Some((at, mut bytes)) = self.outgoing.queue.pop_front() else {
                break;
            };
            match Pin::new(&mut *inner).poll_write(context, &bytes) {
                Poll::Ready(Ok(written)) => {
                    bytes.advance(written);
                    self.outgoing.bytes -= written;
                    if !bytes.is_empty() {
                        self.outgoing.queue.push_front((at, bytes));
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.outgoing.queue.push_front((at, bytes));
                    return Poll::Pending;
                }
            }
        }
        Pin::new(&mut *inner).poll_flush(context)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = &mut *self;
        std::task::ready!(wire.poll_open(context))?;
        let may_read = wire.poll_pause(context).is_ready();
        let Some(shape) = &mut wire.shape else {
            return match may_read {
                true => Pin::new(&mut wire.inner).poll_read(context, buffer),
                false => Poll::Pending,
            };
        };
        // Whoever reads always waits here: what is on its way out moves on, too. An error is seen by
        // the next who writes.
        let _ = shape.drain(&mut wire.inner, context);
        if !may_read {
            return Poll::Pending;
        }
        shape.fill(&mut wire.inner, context);
        if shape.incoming.poll_arrived(context) {
            let bytes = shape.incoming.take(buffer.remaining()).unwrap_or_default();
            buffer.put_slice(&bytes);
            // There is room again.
            shape.fill(&mut wire.inner, context);
            return Poll::Ready(Ok(()));
        }
        match (shape.incoming.is_over, shape.incoming.queue.is_empty()) {
            (true, true) => Poll::Ready(shape.error.map_or(Ok(()), |kind| Err(kind.into()))),
            _ => Poll::Pending,
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wire = &mut *self;
        std::task::ready!(wire.poll_open(context))?;
        let Some(shape) = &mut wire.shape else {
            return Pin::new(&mut wire.inner).poll_write(context, bytes);
        };
        if shape.outgoing.bytes >= MOST {
            std::task::ready!(shape.drain(&mut wire.inner, context))?;
        }
        let length = bytes.len().min(PIECE);
        let piece = Bytes::copy_from_slice(&bytes[..length]);
        shape.outgoing.push(piece, shape.link, &mut shape.rng);
        // The timer of the first bytes is set, whoever waits for them.
        match shape.drain(&mut wire.inner, context) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(length)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = &mut *self;
        std::task::ready!(wire.poll_open(context))?;
        match &mut wire.shape {
            // What is on its way moves on while somebody reads; nobody waits for it here.
            Some(shape) => match shape.drain(&mut wire.inner, context) {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                _ => Poll::Ready(Ok(())),
            },
            None => Pin::new(&mut wire.inner).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = &mut *self;
        if let Some(shape) = &mut wire.shape {
            std::task::ready!(shape.drain(&mut wire.inner, context))?;
        }
        Pin::new(&mut wire.inner).poll_shutdown(context)
    }
}
