//! TCP to the server, and what went wrong on the way.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use super::config::{AddressFamily, HostConfig};
use crate::connection::ConnectError;
use crate::protocol::target;

/// The pause between two attempts, as in OpenSSH.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(1);

/// Connects to the first address of a host that answers; tries all of them as often as ssh_config
/// says (ConnectionAttempts).
pub(super) async fn dial(config: &HostConfig, limit: Duration) -> Result<TcpStream, ConnectError> {
    let target = target(&config.host_name, config.port);
    let end = Instant::now() + limit;
    let addresses = addresses(config, end).await?;
    let mut last = None;
    let count = u32::try_from(addresses.len()).unwrap_or(1);
    let attempts = count.saturating_mul(config.connection_attempts);
    for (number, address) in (0..attempts).zip(addresses.iter().cycle()) {
        if number > 0 && number % count == 0 {
            let pause = BETWEEN_ATTEMPTS.min(end.saturating_duration_since(Instant::now()));
            tokio::time::sleep(pause).await;
        }
        // Each attempt gets its share of the time that is left.
        let left = end.saturating_duration_since(Instant::now());
        if number > 0 && left.is_zero() {
            break;
        }
        let share = left / (attempts - number);
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
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if let Some(name) = &config.bind_interface {
        bind_device(&socket, name).map_err(|error| {
            let text = format!("cannot use `{name}`, the BindInterface of ssh_config: {error}");
            io::Error::new(error.kind(), text)
        })?;
    }
    if let Some(from) = &config.bind_address {
        let from: IpAddr = from.parse().map_err(|_not_an_address| {
            io::Error::other(format!(
                "`{from}`, the BindAddress of ssh_config, is not an address of this machine"
            ))
        })?;
        socket.bind(SocketAddr::new(from, 0))?;
    }
    socket.connect(address).await
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn bind_device(socket: &TcpSocket, name: &str) -> io::Result<()> {
    socket.bind_device(Some(name.as_bytes()))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn bind_device(_: &TcpSocket, _: &str) -> io::Result<()> {
    Err(io::Error::other("this system has no way to do that"))
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
