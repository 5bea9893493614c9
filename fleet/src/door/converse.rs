//! A stream between a client and what answers him on a host.

use std::sync::{Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::pace::Simulation;

/// How many bytes are read at a time.
const PIECE: usize = 16 << 10;

/// Leads the socket of a client to what answers him; it is reset where nothing does.
pub(super) async fn connect(
    simulation: &Simulation,
    near: TcpStream,
    far: Option<impl AsyncRead + AsyncWrite>,
) {
    match far {
        Some(far) => converse(simulation, near, far).await,
        // A socket that is gone already needs no reset.
        None => drop(near.set_zero_linger()),
    }
}

/// Leads a stream both ways until both sides have ended, or one breaks. The client waits for the host
/// from what he says until it answers: a stream that lies idle hurries no clock.
pub(super) async fn converse(
    simulation: &Simulation,
    near: impl AsyncRead + AsyncWrite,
    far: impl AsyncRead + AsyncWrite,
) {
    let waiting = Mutex::new(None);
    let wait = |is_waiting: bool| {
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match is_waiting {
            true if waiting.is_none() => *waiting = simulation.wait_for_host(),
            true => {}
            false => *waiting = None,
        }
    };
    let (near_reader, near_writer) = tokio::io::split(near);
    let (far_reader, far_writer) = tokio::io::split(far);
    let asked = pump(near_reader, far_writer, || wait(true));
    let answered = pump(far_reader, near_writer, || wait(false));
    // However it ended, it is over.
    let _ = tokio::try_join!(asked, answered);
}

/// Copies until the end; `hear` is told of each piece before it goes on.
async fn pump(
    reader: impl AsyncRead,
    writer: impl AsyncWrite,
    hear: impl Fn(),
) -> std::io::Result<()> {
    tokio::pin!(reader, writer);
    let mut piece = vec![0; PIECE];
    loop {
        let length = reader.read(&mut piece).await?;
        if length == 0 {
            return writer.shutdown().await;
        }
        hear();
        writer.write_all(&piece[..length]).await?;
        writer.flush().await?;
    }
}
