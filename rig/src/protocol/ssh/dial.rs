//! TCP to the server, and what went wrong on the way.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use super::config::{AddressFamily, HostConfig};
use crate::connection::ConnectError;
use crate::protocol::target;

/// Connects to the first address of a host that answers.
pub(super) async fn dial(config: &HostConfig, limit: Duration) -> Result<TcpStream, ConnectError> {
    let target = target(&config.host_name, config.port);
    let end = Instant::now() + limit;
    let addresses = addresses(config, end).await?;
    let mut last = None;
    for (index, address) in addresses.iter().enumerate() {
        // Each address gets its share of the time that is left.
        let left = end.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(1);
        match tokio::time::timeout(share, connect(*address, config)).await {
            Ok(Ok(stream)) => {
                // Many small messages: waiting to fill packets would double each round trip. A
                // socket that cannot do that works all the same.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = Some(classify(error, &target, limit)),
            Err(_elapsed) => {
                last = Some(ConnectError::TimedOut {
                    target: target.clone(),
                    stage: "the TCP connection",
                    limit,
                });
            }
        }
    }
    Err(last.unwrap_or_else(|| no_address(config)))
}

/// Returns the addresses of a host, of the families that are wanted.
async fn addresses(config: &HostConfig, end: Instant) -> Result<Vec<SocketAddr>, ConnectError> {
    let dns = |source| ConnectError::Dns {
        name: config.host_name.clone(),
        source,
    };
    let asking = tokio::net::lookup_host((config.host_name.as_str(), config.port));
    let found = match tokio::time::timeout_at(end, asking).await {
        Ok(found) => found.map_err(dns)?,
        Err(elapsed) => return Err(dns(io::Error::new(io::ErrorKind::TimedOut, elapsed))),
    };
    let is_wanted = |address: &SocketAddr| match config.address_family {
        AddressFamily::Any => true,
        AddressFamily::V4 => address.is_ipv4(),
        AddressFamily::V6 => address.is_ipv6(),
    };
    Ok(found.filter(is_wanted).collect())
}

fn no_address(config: &HostConfig) -> ConnectError {
    let what = match config.address_family {
        AddressFamily::Any => "the name has no address",
        AddressFamily::V4 => "the name has no IPv4 address, as AddressFamily of ssh_config wants",
        AddressFamily::V6 => "the name has no IPv6 address, as AddressFamily of ssh_config wants",
    };
    ConnectError::Dns {
        name: config.host_name.clone(),
        source: io::Error::other(what),
    }
}

async fn connect(address: SocketAddr, config: &HostConfig) -> io::Result<TcpStream> {
    let Some(from) = &config.bind_address else {
        return TcpStream::connect(address).await;
    };
    let from: IpAddr = from.parse().map_err(|_not_an_address| {
        io::Error::other(format!(
            "`{from}`, the BindAddress of ssh_config, is not an address of this machine"
        ))
    })?;
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(address).await
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
