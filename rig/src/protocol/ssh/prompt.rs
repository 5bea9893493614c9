//! TCP that takes note of what arrives at once.
//!
//! sshd lets TCP gather small messages (it sets `TCP_NODELAY` for terminals only, `packet.c` of
//! OpenSSH 9.2), so the second of two waits until the first is acknowledged; and Linux puts
//! acknowledgements off for 40 ms where there is nothing to send. Both together cost that much in
//! each login, and again for each command that prints before it ends.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A TCP stream that acknowledges what it has read without delay.
pub(super) struct Prompt(pub(super) TcpStream);

impl AsyncRead for Prompt {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = &mut self.get_mut().0;
        ready!(Pin::new(&mut *stream).poll_read(context, buffer))?;
        // What did not fit is in the kernel: the peer is not waiting for us.
        if buffer.remaining() > 0 {
            acknowledge(stream);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Prompt {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(context)
    }
}

/// Sends the acknowledgement that is due, and the next ones at once. Linux goes back to delays by
/// itself (tcp(7)); a socket that cannot do it works all the same, only slower.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn acknowledge(stream: &TcpStream) {
    let _ = stream.set_quickack(true);
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn acknowledge(_: &TcpStream) {}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Returns whether each of a hundred answers was acknowledged at once.
    async fn acknowledges<S>(wrap: fn(TcpStream) -> S, bare: fn(&S) -> &TcpStream) -> bool
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (here, there) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (mut here, (mut there, _)) = (wrap(here.unwrap()), there.unwrap());
        let mut all = true;
        let mut buffer = [0; 64];
        for _ in 0..100 {
            here.write_all(b"question").await.unwrap();
            there.read_exact(&mut buffer[..8]).await.unwrap();
            there.write_all(b"answer").await.unwrap();
            assert_eq!(here.read(&mut buffer).await.unwrap(), 6);
            all &= bare(&here).quickack().unwrap();
        }
        all
    }

    #[tokio::test]
    async fn answers_are_acknowledged_at_once() {
        assert!(acknowledges(Prompt, |prompt| &prompt.0).await);
        // This is what it is there for.
        assert!(!acknowledges(|stream| stream, |stream| stream).await);
    }
}
