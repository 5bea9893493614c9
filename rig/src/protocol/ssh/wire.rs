//! The stream under an SSH connection: it can be cut, and it notices a peer that takes nothing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};

/// How much is read ahead: the protocol library reads the length of a packet and then the packet,
/// and most packets are small. Larger reads go past this buffer.
const READ_AHEAD: usize = 4 << 10;

/// Cuts the stream when it is dropped.
pub(super) struct Cut(#[expect(dead_code, reason = "its drop is what counts")] oneshot::Sender<()>);

/// A stream that ends when its [`Cut`] is dropped.
///
/// The protocol's own keep-alive does not run while it waits for the peer to take bytes; so a
/// write without any progress for a while is an error here.
pub(super) struct Wire<S> {
    stream: BufReader<S>,
    cut: oneshot::Receiver<()>,
    is_cut: bool,
    patience: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncRead> Wire<S> {
    pub(super) fn new(stream: S, patience: Duration) -> (Self, Cut) {
        let (sender, cut) = oneshot::channel();
        let wire = Self {
            stream: BufReader::with_capacity(READ_AHEAD, stream),
            cut,
            is_cut: false,
            patience,
            waiting: None,
        };
        (wire, Cut(sender))
    }
}

impl<S> Wire<S> {
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if !self.is_cut && Pin::new(&mut self.cut).poll(context).is_ready() {
            self.is_cut = true;
        }
        if self.is_cut {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the connection was closed",
            ));
        }
        Ok(())
    }

    /// Keeps the time of a write that does not come on.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let patience = self.patience;
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + patience)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("the host took no data for {} s", patience.as_secs()),
        ))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check(context)?;
        Pin::new(&mut this.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check(context)?;
        match Pin::new(&mut this.stream).poll_write(context, bytes) {
            Poll::Pending => this.wait(context).map(Err),
            Poll::Ready(written) => {
                this.waiting = None;
                Poll::Ready(written)
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check(context)?;
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_ends_the_write() {
        let (near, _far) = tokio::io::duplex(16);
        let (mut wire, _cut) = Wire::new(near, Duration::from_secs(60));
        let started = Instant::now();

        let result = wire.write_all(&[0; 64]).await;

        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed(), Duration::from_secs(60));
    }

    #[tokio::test]
    async fn a_cut_wakes_a_reader() {
        let (near, _far) = tokio::io::duplex(16);
        let (mut wire, cut) = Wire::new(near, Duration::from_secs(60));
        let reader = tokio::spawn(async move { wire.read_u8().await });
        tokio::task::yield_now().await;

        drop(cut);

        let error = reader.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    }
}
