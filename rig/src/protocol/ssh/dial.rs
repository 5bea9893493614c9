//! TCP to the server, and what went wrong on the way.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use super::target;
use crate::connection::ConnectError;

/// Connects to the first address of a name that answers.
pub(super) async fn dial(
    host: &str,
    port: u16,
    limit: Duration,
) -> Result<TcpStream, ConnectError> {
    let target = target(host, port);
    let end = Instant::now() + limit;
    let timed_out = || ConnectError::TimedOut {
        target: target.clone(),
        stage: "the TCP connection",
        limit,
    };
    let dns = |source| ConnectError::Dns {
        name: host.to_owned(),
        source,
    };
    let addresses: Vec<SocketAddr> =
        match tokio::time::timeout_at(end, tokio::net::lookup_host((host, port))).await {
            Ok(found) => found.map_err(dns)?.collect(),
            Err(elapsed) => return Err(dns(io::Error::new(io::ErrorKind::TimedOut, elapsed))),
        };
    let mut last = None;
    for (index, address) in addresses.iter().enumerate() {
        // Each address gets its share of the time that is left.
        let left = end.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(1);
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Many small messages: waiting to fill packets would double each round trip. A
                // socket that cannot do that works all the same.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = Some(classify(error, &target, limit)),
            Err(_elapsed) => last = Some(timed_out()),
        }
    }
    Err(last.unwrap_or_else(|| dns(io::Error::other("the name has no address"))))
}

fn classify(error: io::Error, target: &str, limit: Duration) -> ConnectError {
    let target = target.to_owned();
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectError::Refused { target },
        io::ErrorKind::TimedOut => ConnectError::TimedOut {
            target,
            stage: "the TCP connection",
            limit,
        },
        _ => ConnectError::Unreachable {
            target,
            source: error,
        },
    }
}
