//! The ends of the streams of a command that is run in process: they are gone when their connection
//! is, and they take the time that bytes take.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::{Cut, Meter};
use crate::network::Link;
use crate::pipe::{Reader, Writer};

/// An end of a pipe that is gone when its connection is.
pub(super) struct Line<T> {
    inner: Option<T>,
    cut: Cut,
    meter: Arc<Meter>,
    bandwidth: u64,
    /// Bytes whose time was not waited for yet.
    owed: u64,
    delay: Option<Pin<Box<Sleep>>>,
}

impl<T> Line<T> {
    pub(super) fn new(inner: T, cut: &Cut, meter: &Arc<Meter>, link: Link) -> Self {
        Self {
            inner: Some(inner),
            cut: cut.clone(),
            meter: Arc::clone(meter),
            bandwidth: link.bandwidth.max(1),
            owed: 0,
            delay: None,
        }
    }

    /// Waits for the time that bytes take; small ones are not worth it.
    fn poll_delay(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(delay) = &mut self.delay {
            if delay.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.delay = None;
        }
        Poll::Ready(())
    }

    fn owe(&mut self, bytes: usize) {
        self.owed += bytes as u64;
        let time = Duration::from_secs_f64(self.owed as f64 / self.bandwidth as f64);
        if time >= Duration::from_millis(5) {
            self.owed = 0;
            self.delay = Some(Box::pin(tokio::time::sleep(time)));
        }
    }
}

impl AsyncRead for Line<Reader> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let line = &mut *self;
        if line.cut.poll(context) {
            line.inner = None;
        }
        if line.poll_delay(context).is_pending() {
            return Poll::Pending;
        }
        let Some(inner) = &mut line.inner else {
            return Poll::Ready(Ok(()));
        };
        let before = buffer.filled().len();
        let polled = Pin::new(inner).poll_read(context, buffer);
        if polled.is_ready() {
            let bytes = buffer.filled().len() - before;
            line.owe(bytes);
            if line.meter.received(bytes) {
                line.cut.cut();
            }
        }
        polled
    }
}

impl AsyncWrite for Line<Writer> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let line = &mut *self;
        if line.cut.poll(context) {
            line.inner = None;
        }
        if line.poll_delay(context).is_pending() {
            return Poll::Pending;
        }
        let Some(inner) = &mut line.inner else {
            return Poll::Ready(Err(std::io::ErrorKind::BrokenPipe.into()));
        };
        let polled = Pin::new(inner).poll_write(context, bytes);
        if let Poll::Ready(Ok(written)) = &polled {
            line.owe(*written);
            line.meter.sent(&bytes[..*written]);
        }
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.inner = None;
        Poll::Ready(Ok(()))
    }
}
